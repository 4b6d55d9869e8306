package interop

import (
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// laneLoad is what the server gets at once.
type laneLoad struct{ healthy, refused, down, rounds int }

func laneLoadOfThisRun() laneLoad {
	if os.Getenv("TROTH_TEST_QUICK") != "" {
		return laneLoad{healthy: 2000, refused: 20, down: 200, rounds: 4}
	}
	return laneLoad{healthy: 10000, refused: 100, down: 1000, rounds: 3}
}

// Transactions that fail and others whose service is down take nothing from those that are well: their
// throughput stays what it is alone. Both are measured in turns and the best of each counts, since
// whatever else the machine does only slows down. The client's own work for the troubled ones is in it.
func TestTroubledTransactionsDoNotSlowDownHealthyOnes(t *testing.T) {
	const shareMin = 0.8
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

	best := map[string]time.Duration{}
	measure := func(what string) {
		took := timeHealthy()
		if known, ok := best[what]; !ok || took < known {
			best[what] = took
		}
	}
	var refused, waiting []string
	for round := 0; round < load.rounds; round++ {
		measure("alone")
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
		measure("beside")
		troubled.Wait()
	}

	share := best["alone"].Seconds() / best["beside"].Seconds()
	t.Logf("%d healthy transactions took %v alone, %v beside %d that fail and %d whose service is down: %.0f %% of the throughput",
		load.healthy, best["alone"], best["beside"], load.refused, load.down, 100*share)
	if share < shareMin {
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
