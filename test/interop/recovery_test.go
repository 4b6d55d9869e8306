package interop

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// counting is a service that answers everything with success, on a port known before it is up.
type counting struct {
	address string
	calls   atomic.Int64
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	return &counting{address: fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))}
}

func (c *counting) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", c.address)
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c.calls.Add(1)
		_, _ = w.Write([]byte(`{"dtm_result":"SUCCESS"}`))
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// submitTo hands over n messages of one branch each, without waiting for their ends.
func (c *counting) submitTo(t *testing.T, server *harness.Troth, n int) []string {
	t.Helper()
	gids := make([]string, n)
	prefix := newGid(t)
	for i := range gids {
		gids[i] = fmt.Sprintf("%s-%d", prefix, i)
		code, answer, err := server.Post("submit", fmt.Sprintf(
			`{"gid":"%s","trans_type":"msg","steps":[{"action":"http://%s/a"}],"payloads":["1"]}`, gids[i], c.address))
		must(t, err)
		expectEqual(t, answer, code, http.StatusOK)
	}
	return gids
}

func (c *counting) awaitCalls(t *testing.T, n int, within time.Duration) {
	t.Helper()
	harness.EventuallyWithin(t, within, fmt.Sprintf("%d calls", n), func() (string, bool) {
		return fmt.Sprint(c.calls.Load()), c.calls.Load() >= int64(n)
	})
}

// With a RetryInterval of 60 s the second try comes after two minutes: what is called soon after the
// service is there was woken by its coming.
func TestWhatWaitsForAServiceGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{Conf: "RetryInterval: 60\nTimeoutToFail: 120"})
	service, healthy := newCounting(t), newCounting(t)
	healthy.start(t)
	gids := service.submitTo(t, server, 300)
	// A service that is down holds nobody else up.
	healthy.submitTo(t, server, 50)
	healthy.awaitCalls(t, 50, harness.Patience)
	expectText(t, server.Log(), "endpoint does not answer", service.address)

	service.start(t)
	service.awaitCalls(t, len(gids), harness.Patience)
	for _, gid := range gids {
		server.Await(t, gid, "succeed")
	}
	expectText(t, server.Log(), "endpoint answers again")
}

func TestUnfinishedTransactionsResumeAtOnceAfterAKill(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{
		Conf: "RetryInterval: 60\nTimeoutToFail: 120\nRequestTimeout: 60",
	})
	service := newCounting(t)
	silent, err := net.Listen("tcp", service.address) // takes connections and never answers
	must(t, err)
	gids := service.submitTo(t, server, 300)
	server.Signal(syscall.SIGKILL)
	server.ExitCode(harness.Patience)

	must(t, silent.Close())
	service.start(t)
	server.Start()
	service.awaitCalls(t, len(gids), harness.Patience)
	for _, gid := range gids {
		server.Await(t, gid, "succeed")
	}
}
