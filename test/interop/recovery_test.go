package interop

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// submitMany hands over n transactions from many clients at once, without waiting for their ends; body
// makes the request of a gid.
func submitMany(t *testing.T, server *harness.Troth, n int, body func(gid string) string) []string {
	t.Helper()
	const clients = 32
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: harness.Patience}
	defer client.CloseIdleConnections()
	gids, prefix := make([]string, n), newGid(t)
	failed := make(chan error, clients)
	var next int64
	var running sync.WaitGroup
	for c := 0; c < clients; c++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for i := atomic.AddInt64(&next, 1) - 1; i < int64(n); i = atomic.AddInt64(&next, 1) - 1 {
				gids[i] = fmt.Sprintf("%s-%d", prefix, i)
				code, answer, err := server.PostBy(client, "submit", body(gids[i]))
				if err == nil && code != http.StatusOK {
					err = fmt.Errorf("%d %s", code, answer)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	running.Wait()
	close(failed)
	must(t, <-failed)
	return gids
}

// msgTo is a message with one branch at the address.
func msgTo(address string) func(gid string) string {
	return func(gid string) string {
		return fmt.Sprintf(
			`{"gid":"%s","trans_type":"msg","steps":[{"action":"http://%s/a"}],"payloads":["1"]}`, gid, address)
	}
}

// sagaTo is a saga with one step at the address, which needs no compensation.
func sagaTo(address string) func(gid string) string {
	return func(gid string) string {
		return fmt.Sprintf(
			`{"gid":"%s","trans_type":"saga","steps":[{"action":"http://%s/a","compensate":""}],"payloads":["1"]}`, gid, address)
	}
}

// With a RetryInterval of 60 s the second try comes after two minutes: what is called soon after the
// service is there was woken by its coming.
func TestWhatWaitsForAServiceGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{Conf: "RetryInterval: 60\nTimeoutToFail: 120"})
	service, healthy := harness.NewCounting(t), harness.StartCounting(t)
	gids := submitMany(t, server, 300, msgTo(service.Address))
	// A service that is down holds nobody else up.
	submitMany(t, server, 50, msgTo(healthy.Address))
	healthy.AwaitTransactions(t, 50, harness.Patience)
	expectText(t, server.Log(), "endpoint does not answer", service.Address)

	service.Start()
	service.AwaitTransactions(t, len(gids), harness.Patience)
	for _, gid := range gids {
		server.Await(t, gid, "succeed")
	}
	expectText(t, server.Log(), "endpoint answers again")
}

// What was being called when the server was killed, and what waited for its next try, goes on as soon as
// the server is there again, whatever the backoff was and although one service stays away: within five
// seconds, or twice the time it took to submit it all where a machine is too busy for that. Only the embedded
// store has one server, which need not wait for leases of its own.
func TestUnfinishedTransactionsResumeAtOnceAfterAKill(t *testing.T) {
	const called, waiting, hopeless, limit = 10000, 2000, 500, 5 * time.Second
	server := harness.StartTroth(t, harness.TrothOptions{
		Conf: "Store: {Driver: embedded}\nRetryInterval: 60\nTimeoutToFail: 120\nRequestTimeout: 60",
	})
	silent, down, dead := harness.NewCounting(t), harness.NewCounting(t), harness.NewCounting(t)
	listener, err := net.Listen("tcp", silent.Address) // takes connections and never answers
	must(t, err)
	began := time.Now()
	gids := submitMany(t, server, called, msgTo(silent.Address))
	gids = append(gids, submitMany(t, server, waiting, msgTo(down.Address))...)
	submitMany(t, server, hopeless, msgTo(dead.Address))
	submitted := time.Since(began)
	server.Signal(syscall.SIGKILL)
	server.ExitCode(harness.Patience)

	must(t, listener.Close())
	silent.Start()
	down.Start()
	began = time.Now()
	server.Start()
	silent.AwaitTransactions(t, called, harness.Patience)
	down.AwaitTransactions(t, waiting, harness.Patience)
	took := time.Since(began)
	t.Logf("%d unfinished transactions were called %v after the restart; to submit them took %v", len(gids), took, submitted)
	if took > limit && took > 2*submitted {
		t.Errorf("%v; all should be called within %v", took, limit)
	}
	for _, gid := range gids {
		server.Await(t, gid, "succeed")
	}
}
