package main

import (
	"fmt"
	"math/rand"
	"path/filepath"
	"time"
)

// run is one torment of one server.
type run struct {
	o      options
	name   string
	folder string
	random *rand.Rand

	server  *server
	bank    *bank
	clients *clients

	mayDie     bool // the torment may end the server at any moment
	times      int  // how often it was tormented
	deaths     int  // how often the server died of it, but for SIGKILLs
	notRun     string
	started    time.Time
	verdict    verdict
	seen       int // transfers audited
	acked      int64
	violations []string
}

const header = `torment        times  deaths  starts  transfers  acknowledged  succeeded  failed  unknown  seconds
`

func newRun(o options, name, folder string, random *rand.Rand) *run {
	return &run{o: o, name: name, folder: filepath.Join(folder, name), random: random, started: time.Now()}
}

func (r *run) row() string {
	if r.notRun != "" {
		return fmt.Sprintf("%-13s  not run: %s\n", r.name, r.notRun)
	}
	starts := 0
	if r.server != nil {
		starts = r.server.starts
	}
	return fmt.Sprintf("%-13s %6d %7d %7d %10d %13d %10d %7d %8d %8.0f\n", r.name, r.times, r.deaths, starts,
		r.seen, r.acked, r.verdict.succeeded, r.verdict.failed, r.verdict.unknown, time.Since(r.started).Seconds())
}

// perform runs a torment under load, then heals the server and audits everything.
func (r *run) perform(t torture) {
	if err := t.do(r); err != nil {
		r.violations = append(r.violations, err.Error())
	}
	if r.server != nil {
		r.server.kill()
	}
}

// begin starts a server on a fresh store, and clients.
func (r *run) begin(store string) error {
	var err error
	if r.bank, err = newBank(); err != nil {
		return err
	}
	r.bank.trouble.Store(200)
	if r.server, err = newServer(r.o.program, r.folder, store); err != nil {
		return err
	}
	return r.server.start(0)
}

func (r *run) load(payload string) {
	r.clients = startClients(r.server, r.bank, r.name, r.random.Int63(), payload)
}

// end stops the clients, heals and audits. The server runs again.
func (r *run) end() error {
	r.clients.stop()
	if err := r.server.faults(); err != nil {
		return err
	}
	if !r.server.running() {
		if err := r.server.start(0); err != nil {
			return err
		}
	}
	r.judgeAll(r.clients)
	return nil
}

func (r *run) judgeAll(c *clients) {
	r.bank.trouble.Store(0)
	v := audit(r.server, r.bank, c.promises)
	r.verdict.succeeded += v.succeeded
	r.verdict.failed += v.failed
	r.verdict.unknown += v.unknown
	r.violations = append(r.violations, v.violations...)
	r.seen += len(c.promises)
	r.acked += c.acknowledged.Load()
}

// between draws a pause.
func (r *run) between(low, high time.Duration) time.Duration {
	return low + time.Duration(r.random.Int63n(int64(high-low)))
}

// rounds of a torment that takes about a second each.
func (r *run) rounds(long int) int {
	if r.o.quick {
		return 2
	}
	return long
}

// liftLimit gives the server back what limit took, or starts it again if it did not survive that.
func (r *run) liftLimit(what string) error {
	err := r.server.limit(what)
	// It may have died just before, or be about to end: then there is nothing to give back.
	for deadline := time.Now().Add(time.Second); err != nil && r.server.running(); time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			return err
		}
	}
	return r.reviveIfDead()
}

// reviveIfDead starts a server that did not survive its torment.
func (r *run) reviveIfDead() error {
	if r.server.running() {
		return nil
	}
	r.deaths++
	return r.server.start(0)
}
