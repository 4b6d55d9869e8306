package harness

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Counting is an HTTP service that gives every call the same answer and remembers which transactions
// called, on a port that is known before it is up.
type Counting struct {
	Address string
	tb      TB

	mutex sync.Mutex
	calls int
	gids  map[string]bool
}

// NewCounting only reserves the address: nobody answers there yet.
func NewCounting(tb TB) *Counting {
	tb.Helper()
	return &Counting{Address: fmt.Sprintf("127.0.0.1:%d", FreePort(tb)), tb: tb, gids: map[string]bool{}}
}

// StartCounting is NewCounting and Start.
func StartCounting(tb TB) *Counting {
	tb.Helper()
	c := NewCounting(tb)
	c.Start()
	return c
}

// Start answers with success from now on.
func (c *Counting) Start() { c.StartWith(http.StatusOK, `{"dtm_result":"SUCCESS"}`) }

// StartWith answers with a status and a body from now on.
func (c *Counting) StartWith(code int, body string) {
	c.tb.Helper()
	listener, err := net.Listen("tcp", c.Address)
	if err != nil {
		c.tb.Fatalf("%v", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.count(r.URL.Query().Get("gid"))
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	})}
	go func() { _ = server.Serve(listener) }()
	c.tb.Cleanup(func() { _ = server.Close() })
}

func (c *Counting) count(gid string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.calls++
	c.gids[gid] = true
}

// Calls is how often it was called.
func (c *Counting) Calls() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.calls
}

// Transactions is how many different ones called.
func (c *Counting) Transactions() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.gids)
}

// AwaitTransactions waits until n different ones have called.
func (c *Counting) AwaitTransactions(tb TB, n int, within time.Duration) {
	tb.Helper()
	EventuallyWithin(tb, within, fmt.Sprintf("calls of %d transactions", n), func() (string, bool) {
		return fmt.Sprint(c.Transactions()), c.Transactions() >= n
	})
}
