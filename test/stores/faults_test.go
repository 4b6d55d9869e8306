package stores

import (
	"testing"
	"time"
)

const (
	// disturbance is how long a fault lasts that has no end of its own.
	disturbance = 500 * time.Millisecond
	// breather is how many clients are served between two faults: what a fault broke works again.
	breather = 40
)

// underLoad disturbs again and again while two servers work, and expects that nothing acknowledged is
// lost, that everything ends and that the books balance.
func underLoad(t *testing.T, store string, disturb func()) {
	t.Helper()
	times := 4
	if long() {
		times = 40
	}
	bank := startBank(t)
	load := startLoad(t, startBalancer(t, startServers(t, 2, store)), bank)
	for i := 0; i < times; i++ {
		load.awaitAnswered(breather)
		disturb()
	}
	load.awaitAnswered(breather)
	load.finish()
	load.expectEnded(settleTime)
}
