package interop

import (
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// Transfers of all modes at once while troth is killed at random moments: in the end every transfer is
// done or undone as a whole, whatever its client was told, and no money is made or lost.
func TestLedgerOverHTTP(t *testing.T) {
	l := newLedger(t)
	useWorkflowHTTP(t, l.server)
	l.run(t, modeNamed("msg over HTTP"), modeNamed("saga over HTTP"), modeNamed("tcc over HTTP"),
		modeNamed("xa over HTTP"), workflowHTTP)
}

func TestLedgerOverGRPC(t *testing.T) {
	l := newLedger(t)
	useWorkflowGRPC(t, l.server)
	l.run(t, modeNamed("msg over gRPC"), modeNamed("saga over gRPC"), modeNamed("tcc over gRPC"),
		modeNamed("xa over gRPC"), workflowGRPC)
}

func modeNamed(name string) mode {
	for _, mode := range modes {
		if mode.name == name {
			return mode
		}
	}
	panic("there is no mode " + name)
}

const (
	ledgerTransfers = 15 // of each mode; every third meets a closed account
	ledgerKills     = 6
)

type ledger struct {
	server *harness.Troth
	script *harness.Script
	bank   *harness.Bank
	random *rand.Rand
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	seed := time.Now().UnixNano()
	t.Logf("seed of the kills: %d", seed)
	l := &ledger{script: harness.NewScript(), random: rand.New(rand.NewSource(seed))}
	l.script.OnAll(slowly)
	l.bank = harness.StartBank(t, shared.mariadb, l.script)
	l.server = harness.StartTroth(t, harness.TrothOptions{Conf: "RetryInterval: 10\nTimeoutToFail: 10"})
	return l
}

func (l *ledger) run(t *testing.T, modes ...mode) {
	transfers := map[string][]*transfer{}
	done := make(chan struct{})
	var clients sync.WaitGroup
	for _, way := range modes {
		way, own := way, l.openAccounts(t, way)
		transfers[way.name] = own
		clients.Add(1)
		go func() {
			defer clients.Done()
			for _, x := range own {
				l.runUntilKnown(x, way)
			}
		}()
	}
	go func() {
		clients.Wait()
		close(done)
	}()
	l.killAtRandom(t, done)
	<-done
	for name, own := range transfers {
		l.expectBalanced(t, name, own)
	}
	expectEqual(t, "prepared XA transactions", l.ownPrepared(t), []string{})
}

func (l *ledger) openAccounts(t *testing.T, way mode) []*transfer {
	t.Helper()
	own := []*transfer{}
	for i := 0; i < ledgerTransfers; i++ {
		gid := fmt.Sprintf("%s-%s-%d", t.Name(), strings.ReplaceAll(way.name, " ", "-"), i)
		x := newTransfer(t, l.server, l.bank, gid)
		x.timeout = 3
		if i%3 == 2 {
			l.bank.CloseAccount(t, way.refuses(x))
		}
		own = append(own, x)
	}
	return own
}

// runUntilKnown lets the client begin again only while troth has never heard of the transfer; what has
// begun is troth's to end.
func (l *ledger) runUntilKnown(x *transfer, way mode) {
	for deadline := time.Now().Add(harness.Patience); time.Now().Before(deadline); {
		_ = way.run(x)
		_, body, err := l.server.Get("/api/dtmsvr/query?gid=" + x.gid)
		if err == nil && !strings.Contains(body, `"transaction":null`) {
			return
		}
	}
}

// killAtRandom kills and restarts troth, each time after some more calls of branches.
func (l *ledger) killAtRandom(t *testing.T, done <-chan struct{}) {
	t.Helper()
	for kill := 0; kill < ledgerKills; kill++ {
		until := l.script.Total() + 1 + l.random.Intn(20)
		harness.Eventually(t, "branches are called", func() (string, bool) {
			select {
			case <-done:
				return "", true
			default:
				return fmt.Sprint(l.script.Total()), l.script.Total() >= until
			}
		})
		l.server.Kill()
		l.server.Start()
	}
}

func (l *ledger) expectBalanced(t *testing.T, name string, transfers []*transfer) {
	t.Helper()
	ends := map[string]int{}
	for _, x := range transfers {
		status := l.awaitEnd(t, x.gid)
		ends[status]++
		want := map[string]string{"succeed": "70 130", "failed": "100 100"}[status]
		expectEqual(t, x.gid+", "+status, l.bank.Balances(t, x.from, x.to), want)
	}
	if ends["failed"] < ledgerTransfers/3 {
		t.Fatalf("%s: %v; those with a closed account cannot succeed", name, ends)
	}
	t.Logf("%s: %d succeeded, %d failed", name, ends["succeed"], ends["failed"])
}

func (l *ledger) awaitEnd(t *testing.T, gid string) string {
	t.Helper()
	status := ""
	harness.EventuallyWithin(t, twoRetries, gid+" has ended", func() (string, bool) {
		transaction := l.server.Query(t, gid)
		if transaction == nil {
			return "unknown", false
		}
		status = transaction.Status
		return status, status == "succeed" || status == "failed"
	})
	return status
}

func (l *ledger) ownPrepared(t *testing.T) []string {
	t.Helper()
	own := []string{}
	for _, name := range l.bank.Prepared(t) {
		if strings.HasPrefix(name, t.Name()) {
			own = append(own, name)
		}
	}
	return own
}
