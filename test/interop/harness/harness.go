// Package harness starts what the interop tests need: etcd, troth, Kratos and HTTP services whose
// answers a test scripts. Everything listens on loopback, lives in temporary folders and ends with
// the test that started it.
package harness

import (
	"testing"
	"time"
)

// TB is the part of testing.TB that the harness needs. TestMain, which has no testing.TB, brings its own
// for what all tests share.
type TB interface {
	Helper()
	Fatalf(format string, args ...interface{})
	Logf(format string, args ...interface{})
	Cleanup(func())
	TempDir() string
	Failed() bool
}

var _ TB = testing.TB(nil)

// Patience is the deadline of everything that should happen soon. Generous: it is only ever spent
// by a test that fails, and machines that run tests are slow.
const Patience = 90 * time.Second

const pollInterval = 20 * time.Millisecond

// Eventually polls until the condition holds; the test fails after Patience. The condition returns
// what it saw, which the failure shows.
func Eventually(tb TB, what string, condition func() (seen string, ok bool)) {
	tb.Helper()
	EventuallyWithin(tb, Patience, what, condition)
}

// EventuallyWithin is Eventually with a deadline of its own.
func EventuallyWithin(tb TB, within time.Duration, what string, condition func() (string, bool)) {
	tb.Helper()
	deadline := time.Now().Add(within)
	for {
		seen, ok := condition()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v; last seen: %s", what, within, seen)
		}
		time.Sleep(pollInterval)
	}
}

// During polls for the whole span and fails as soon as the condition does not hold: for what must
// not happen.
func During(tb TB, span time.Duration, what string, condition func() (seen string, ok bool)) {
	tb.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(pollInterval) {
		if seen, ok := condition(); !ok {
			tb.Fatalf("%s: %s", what, seen)
		}
	}
}
