package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// promise is what troth has acknowledged of a transfer.
type promise struct {
	t         *transfer
	known     bool // some request of it was acknowledged: it exists and must end
	submitted bool // so was its submit
	aborted   bool // so was its abort
}

// clients submit transfers from several goroutines until they are stopped. A request without an answer
// is repeated for a while, as clients do.
type clients struct {
	server  *server
	bank    *bank
	prefix  string
	payload string

	mutex        sync.Mutex
	promises     []*promise
	acknowledged atomic.Int64 // transfers submitted or aborted
	refused      atomic.Int64 // answers that were no acknowledgement

	stopped atomic.Bool
	running sync.WaitGroup
}

const (
	workers      = 12
	repeatFor    = 5 * time.Second
	repeatPause  = 20 * time.Millisecond
	tccTimeout   = 3 // seconds until one that its client left is rolled back
	retrySeconds = 1
)

func startClients(s *server, b *bank, prefix string, seed int64, payload string) *clients {
	c := &clients{server: s, bank: b, prefix: prefix, payload: payload}
	for worker := 0; worker < workers; worker++ {
		random := rand.New(rand.NewSource(seed + int64(worker)))
		c.running.Add(1)
		go func(worker int) {
			defer c.running.Done()
			for i := 0; !c.stopped.Load(); i++ {
				c.one(c.draw(random, fmt.Sprintf("%s-%d-%d", c.prefix, worker, i)))
			}
		}(worker)
	}
	return c
}

// stop waits for the requests that are open.
func (c *clients) stop() {
	c.stopped.Store(true)
	c.running.Wait()
}

func (c *clients) draw(random *rand.Rand, gid string) *transfer {
	t := &transfer{gid: gid, mode: []string{"msg", "msg", "saga", "tcc"}[random.Intn(4)]}
	t.from, t.to = random.Intn(accounts), random.Intn(accounts)
	t.amount = 1 + random.Int63n(100)
	t.refused = t.mode != "msg" && random.Intn(5) == 0
	return t
}

func (c *clients) one(t *transfer) {
	c.bank.open(t)
	p := &promise{t: t}
	c.mutex.Lock()
	c.promises = append(c.promises, p)
	c.mutex.Unlock()
	if t.mode == "tcc" {
		c.tcc(p)
	} else {
		p.submitted = c.ask("submit", c.steps(t))
	}
	p.known = p.known || p.submitted
	if p.submitted || p.aborted {
		c.acknowledged.Add(1)
	}
}

func (c *clients) tcc(p *promise) {
	base := map[string]interface{}{"gid": p.t.gid, "trans_type": "tcc", "timeout_to_fail": tccTimeout,
		"retry_interval": retrySeconds}
	if p.known = c.ask("prepare", base); !p.known {
		return
	}
	for _, branch := range []string{"01", "02"} {
		registered := c.ask("registerBranch", map[string]interface{}{"gid": p.t.gid, "trans_type": "tcc",
			"branch_id": branch, "confirm": c.bank.address, "cancel": c.bank.address, "data": c.payload})
		if !registered {
			return // its client vanishes
		}
		if !c.bank.book(p.t.gid, branch, "try") {
			p.aborted = c.ask("abort", base)
			return
		}
	}
	p.submitted = c.ask("submit", base)
}

func (c *clients) steps(t *transfer) map[string]interface{} {
	step := map[string]string{"action": c.bank.address}
	if t.mode == "saga" {
		step["compensate"] = c.bank.address
	}
	return map[string]interface{}{"gid": t.gid, "trans_type": t.mode, "retry_interval": retrySeconds,
		"steps": []map[string]string{step, step}, "payloads": []string{c.payload, c.payload}}
}

// ask repeats a request until it is acknowledged; false: it never was, though it may have been done.
func (c *clients) ask(operation string, body interface{}) bool {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	for deadline := time.Now().Add(repeatFor); time.Now().Before(deadline); time.Sleep(repeatPause) {
		answer, err := client.Post(c.server.url("/api/dtmsvr/"+operation), "application/json", bytes.NewReader(text))
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return true
			}
			c.refused.Add(1)
			// It was done before, and has gone on since: nothing is to be had by asking again.
			if answer.StatusCode == http.StatusConflict {
				return false
			}
		}
		if c.stopped.Load() {
			return false
		}
	}
	return false
}
