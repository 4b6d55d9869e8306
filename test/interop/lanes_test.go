package interop

import (
	"net/http"
	"os"
	"sort"
	"sync"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// laneLoad is what the server gets at once.
type laneLoad struct{ healthy, refused, down int }

func laneLoadOfThisRun() laneLoad {
	if os.Getenv("TROTH_TEST_QUICK") != "" {
		return laneLoad{healthy: 2000, refused: 10, down: 100}
	}
	return laneLoad{healthy: 10000, refused: 100, down: 1000}
}

// median of what is not empty; the lower one of two.
func median(values []float64) float64 {
	sorted := append([]float64{}, values...)
	sort.Float64s(sorted)
	return sorted[(len(sorted)-1)/2]
}

// Transactions that fail and others whose service is down take nothing from those that are well: their
// throughput stays what it is alone. Both are measured in turns, each first in every other round, since the
// machine's own speed changes from one minute to the next: it is the median of the rounds that counts. Where a few
// rounds do not show it, as on a busy machine, that of more must. The client's own work for the troubled ones is in it.
func TestTroubledTransactionsDoNotSlowDownHealthyOnes(t *testing.T) {
	const shareMin, few, many = 0.8, 5, 41
	load := laneLoadOfThisRun()
	server := harness.StartTroth(t, harness.TrothOptions{})
	healthy, refusing, down := harness.StartCounting(t), harness.NewCounting(t), harness.NewCounting(t)
	refusing.StartWith(http.StatusConflict, `{"dtm_result":"FAILURE"}`)
	timeHealthy := func() time.Duration {
		began, before := time.Now(), healthy.Transactions()
		submitMany(t, server, load.healthy, msgTo(healthy.Address))
		healthy.AwaitTransactions(t, before+load.healthy, harness.Patience)
		return time.Since(began)
	}

	var refused, waiting []string
	timeBeside := func() time.Duration {
		var troubled sync.WaitGroup
		troubled.Add(2)
		go func() {
			defer troubled.Done()
			refused = append(refused, submitMany(t, server, load.refused, sagaTo(refusing.Address))...)
		}()
		go func() {
			defer troubled.Done()
			waiting = append(waiting, submitMany(t, server, load.down, msgTo(down.Address))...)
		}()
		took := timeHealthy()
		troubled.Wait()
		return took
	}

	var shares []float64
	for len(shares) < few || (median(shares) < shareMin && len(shares) < many) {
		var alone, beside time.Duration
		if len(shares)%2 == 0 {
			alone, beside = timeHealthy(), timeBeside()
		} else {
			beside, alone = timeBeside(), timeHealthy()
		}
		shares = append(shares, alone.Seconds()/beside.Seconds())
		t.Logf("%d healthy transactions took %v alone, %v beside %d that fail and %d whose service is down",
			load.healthy, alone, beside, load.refused, load.down)
	}

	if share := median(shares); share < shareMin {
		t.Errorf("the healthy ones keep %.0f %% of their throughput, less than %.0f %%", 100*share, 100*shareMin)
	}
	for _, gid := range refused {
		server.Await(t, gid, "failed")
	}
	down.Start()
	down.AwaitTransactions(t, len(waiting), harness.Patience)
	for _, gid := range waiting {
		server.Await(t, gid, "succeed")
	}
}
