package stores

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/go-resty/resty/v2"

	"troth/test/interop/harness"
)

// offeredRate is how many are offered a second: far from what the machine can do, so that a dip is seen as
// one. TROTH_STORES_RATE is another.
var offeredRate = readRate()

func readRate() float64 {
	if rate, err := strconv.ParseFloat(os.Getenv("TROTH_STORES_RATE"), 64); err == nil && rate > 0 {
		return rate
	}
	if !long() {
		return 40 // four tests run at once
	}
	return 60
}

// clientsMax is how many wait side by side: a second's worth. When servers or the machine stand still, what would
// begin beyond that does not, or a slow machine would have ever more clients to do with.
func clientsMax() int { return int(math.Ceil(offeredRate)) }

// load runs transfers of several kinds with the published Go client until it is stopped, and remembers
// what clients were told.
type load struct {
	t        *testing.T
	balancer *balancer
	bank     *bank

	mutex sync.Mutex
	all   []*transfer
	ends  []time.Time // of those acknowledged
	stop  chan struct{}
	once  sync.Once // for stop
	done  sync.WaitGroup
	room  chan struct{} // has an element for each client that is under way

	stopped time.Time     // when nothing new began any more
	longest time.Duration // that a client took
}

type transfer struct {
	gid    string
	kind   string
	refuse bool
	acked  string // what its client was told: "" nothing, "accepted", "succeed" or "failed"
}

func startLoad(t *testing.T, balancer *balancer, bank *bank) *load {
	t.Helper()
	l := &load{t: t, balancer: balancer, bank: bank, stop: make(chan struct{}),
		room: make(chan struct{}, clientsMax())}
	t.Cleanup(l.stopOffering)
	l.done.Add(1)
	go l.offer()
	return l
}

// offer begins a transfer at every tick; those that have to wait wait side by side, up to a number.
func (l *load) offer() {
	defer l.done.Done()
	kinds := []string{"msg", "saga", "tcc", "waiting msg"}
	ticker := time.NewTicker(time.Duration(float64(time.Second) / offeredRate))
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
		}
		select {
		case <-l.stop:
			return
		case l.room <- struct{}{}:
		}
		x := &transfer{gid: fmt.Sprintf("%s-%d", gidOf(l.t), i), kind: kinds[i%len(kinds)]}
		x.refuse = i%9 == 0 && (x.kind == "saga" || x.kind == "tcc")
		l.mutex.Lock()
		l.all = append(l.all, x)
		l.mutex.Unlock()
		l.done.Add(1)
		go func() {
			defer l.done.Done()
			l.runUntilKnown(x)
			<-l.room
		}()
	}
}

// stopOffering may be called again; a test that fails does, so that it does not slow down the others.
func (l *load) stopOffering() { l.once.Do(func() { close(l.stop) }) }

// finish stops offering and waits for the clients.
func (l *load) finish() {
	l.stopOffering()
	l.stopped = time.Now()
	l.done.Wait()
}

// runUntilKnown lets the client begin again only while no server knows the transfer; what has begun is
// the servers' to end.
func (l *load) runUntilKnown(x *transfer) {
	defer func(start time.Time) {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		if took := time.Since(start); took > l.longest {
			l.longest = took
		}
	}(time.Now())
	for deadline := time.Now().Add(harness.Patience); time.Now().Before(deadline); {
		err := l.run(x)
		if err == nil || errors.Is(err, dtmcli.ErrFailure) {
			l.mutex.Lock()
			x.acked = told(x, err)
			l.ends = append(l.ends, time.Now())
			l.mutex.Unlock()
			return
		}
		if status, err := l.balancer.query(x.gid); err == nil && status != "" {
			return
		}
		time.Sleep(50 * time.Millisecond) // as a client would
	}
}

// told is what the client knows when its call came back.
func told(x *transfer, err error) string {
	switch {
	case err != nil:
		return "failed"
	case x.kind == "saga" || x.kind == "waiting msg":
		return "succeed"
	default:
		return "accepted"
	}
}

func (l *load) run(x *transfer) error {
	out, in := booking{Amount: -30}, booking{Amount: 30, Refuse: x.refuse}
	account := l.bank.url
	switch x.kind {
	case "saga":
		saga := dtmcli.NewSaga(l.balancer.dtm(), x.gid).
			Add(account, account, out).Add(account, account, in)
		saga.WaitResult = true
		return saga.Submit()
	case "tcc":
		return dtmcli.TccGlobalTransaction(l.balancer.dtm(), x.gid, func(tcc *dtmcli.Tcc) (*resty.Response, error) {
			if answer, err := tcc.CallBranch(out, account, account, account); err != nil {
				return answer, err
			}
			return tcc.CallBranch(in, account, account, account)
		})
	default:
		msg := dtmcli.NewMsg(l.balancer.dtm(), x.gid).Add(account, out).Add(account, in)
		msg.WaitResult = x.kind == "waiting msg"
		return msg.Submit()
	}
}

// expectEnded waits until every transfer has ended, and compares what it did with how it ended and with
// what its client was told.
func (l *load) expectEnded(within time.Duration) {
	l.t.Helper()
	deadline := time.Now().Add(within)
	counts := map[string]int{}
	for _, x := range l.all {
		status, ended := l.awaitEnd(x, deadline)
		if !ended {
			continue // told already; nobody knows what is lost
		}
		counts[status]++
		want := map[string]string{"succeed": "-30 30", "failed": "0 0", "": "0 0"}[status]
		if got := l.bank.effect(x.gid); got != want {
			l.t.Errorf("%s (%s) is %q and has moved %s; want %s", x.gid, x.kind, status, got, want)
		}
		switch {
		case x.acked != "" && status == "":
			l.t.Errorf("%s (%s) was acknowledged (%s) and is lost", x.gid, x.kind, x.acked)
		case (x.acked == "succeed" || x.acked == "failed") && status != x.acked:
			l.t.Errorf("%s (%s): its client was told %s, and it is %s", x.gid, x.kind, x.acked, status)
		}
	}
	l.t.Logf("%d transfers: %v; %d acknowledged; the slowest client took %v; all ended %v after the last began",
		len(l.all), counts, len(l.ends), l.longest.Round(100*time.Millisecond),
		time.Since(l.stopped).Round(100*time.Millisecond))
}

// awaitEnd is the status in the end, "" when no server knows the transfer.
func (l *load) awaitEnd(x *transfer, deadline time.Time) (status string, ended bool) {
	l.t.Helper()
	for {
		status, err := l.balancer.query(x.gid)
		if err == nil && (status == "succeed" || status == "failed" || status == "") {
			return status, true
		}
		if time.Now().After(deadline) {
			l.t.Errorf("%s (%s) has not ended: %s %v", x.gid, x.kind, status, err)
			return status, false
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitAnswered waits until so many more clients were told something.
func (l *load) awaitAnswered(count int) {
	l.t.Helper()
	since := time.Now()
	harness.Eventually(l.t, fmt.Sprintf("%d clients are answered", count), func() (string, bool) {
		answered := l.acknowledged(since, time.Now())
		return fmt.Sprintf("%d are", answered), answered >= count
	})
}

// awaitUsualRate waits until nearly all clients have been served as they came, for a whole span, however long
// the machine stands still meanwhile.
func (l *load) awaitUsualRate(span time.Duration) {
	l.t.Helper()
	nearlyAll := 0.8 * offeredRate
	harness.EventuallyWithin(l.t, 3*time.Minute, "clients are served as they come", func() (string, bool) {
		rate := l.rate(span)
		return fmt.Sprintf("%.0f/s are", rate), rate >= nearlyAll
	})
}

// rate is how many clients a second were told something lately.
func (l *load) rate(span time.Duration) float64 {
	now := time.Now()
	return float64(l.acknowledged(now.Add(-span), now)) / span.Seconds()
}

// acknowledged is how many clients were told something in a span.
func (l *load) acknowledged(from, to time.Time) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	count := 0
	for _, end := range l.ends {
		if !end.Before(from) && end.Before(to) {
			count++
		}
	}
	return count
}

func readStatus(response *http.Response) (string, error) {
	var answer struct {
		Transaction *struct{ Status string }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d, %v", response.StatusCode, err)
	}
	if answer.Transaction == nil {
		return "", nil
	}
	return answer.Transaction.Status, nil
}
