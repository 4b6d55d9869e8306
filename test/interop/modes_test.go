package interop

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// Every mode over both protocols, with the published client and branches that really move money: what
// the client, a service and the database see when all goes well and when each of the parties does not.
func TestModes(t *testing.T) {
	t.Parallel()
	// An XA over gRPC has no options of its own: the server's defaults are as short as they may be.
	server := harness.StartTroth(t, harness.TrothOptions{Conf: "RetryInterval: 10\nTimeoutToFail: 10"})
	t.Run("all", func(t *testing.T) {
		for _, way := range modes {
			runScenarios(t, server, way)
		}
	})
}

func TestWorkflowModeOverHTTP(t *testing.T) {
	server := harness.StartTroth(t, harness.TrothOptions{})
	useWorkflowHTTP(t, server)
	t.Run("all", func(t *testing.T) { runScenarios(t, server, workflowHTTP) })
}

func TestWorkflowModeOverGRPC(t *testing.T) {
	server := harness.StartTroth(t, harness.TrothOptions{})
	useWorkflowGRPC(t, server)
	t.Run("all", func(t *testing.T) { runScenarios(t, server, workflowGRPC) })
}

func runScenarios(t *testing.T, server *harness.Troth, way mode) {
	for name, scenario := range map[string]func(*testing.T, *harness.Troth, mode){
		"success":          succeeds,
		"business failure": isRefused,
		"ongoing":          isOngoing,
		"participant down": waitsForAParticipant,
		"client gone":      losesItsClient,
	} {
		scenario := scenario
		t.Run(way.name+"/"+name, func(t *testing.T) {
			t.Parallel()
			scenario(t, server, way)
		})
	}
}

// trial is a transfer in a scenario, at a bank of its own.
type trial struct {
	*transfer
	server *harness.Troth
	script *harness.Script
	way    mode
}

func newTrial(t *testing.T, server *harness.Troth, way mode) *trial {
	t.Helper()
	script := harness.NewScript()
	bank := harness.StartBank(t, shared.mariadb, script)
	gid := strings.TrimPrefix(newGid(t), "Test") // MariaDB's names of XA transactions are short
	return &trial{newTransfer(t, server, bank, gid), server, script, way}
}

func (x *trial) run() error { return x.way.run(x.transfer) }

// expectEnd waits for the end of the transfer and checks what it has done to the accounts.
func (x *trial) expectEnd(t *testing.T, status string) {
	t.Helper()
	x.server.AwaitWithin(t, twoRetries, x.gid, status)
	balances := map[string]string{"succeed": "70 130", "failed": "100 100"}[status]
	expectEqual(t, "balances", x.bank.Balances(t, x.from, x.to), balances)
	for _, name := range x.bank.Prepared(t) {
		if strings.HasPrefix(name, x.gid) {
			t.Fatalf("%s is still prepared in the database", name)
		}
	}
}

// twoRetries is the time for two tries more when the first interval is the default one, and for the
// machine to be slow.
const twoRetries = 2*20*time.Second + harness.Patience

func succeeds(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	must(t, x.run())
	x.expectEnd(t, "succeed")
}

func isRefused(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	x.bank.CloseAccount(t, way.refuses(x.transfer))
	expectError(t, x.run(), "refuses")
	x.expectEnd(t, "failed")
}

func isOngoing(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	x.script.On(x.gid, way.lastBranch, way.lastOp, harness.Ongoing, harness.Succeed)
	_ = x.run() // what a waiting client is told depends on the mode
	x.expectEnd(t, "succeed")
	x.script.AwaitCall(t, x.gid, way.lastBranch, way.lastOp, 2)
}

func waitsForAParticipant(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	var once sync.Once
	x.beforeEnd = func() error {
		once.Do(x.bank.Stop)
		return nil
	}
	_ = x.run()
	if status := server.Query(t, x.gid).Status; status != "submitted" && status != "prepared" {
		t.Fatalf("%s although nobody could be asked", status)
	}
	x.bank.Start()
	x.expectEnd(t, "succeed")
}

func losesItsClient(t *testing.T, server *harness.Troth, way mode) {
	if way.abandoned == "" {
		losesAWaitingClient(t, server, way)
		return
	}
	x := newTrial(t, server, way)
	silent, late := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	comeBack := func() { once.Do(func() { close(silent) }) }
	t.Cleanup(comeBack)
	x.timeout = 4
	var runs int32
	x.beforeEnd = func() error {
		if atomic.AddInt32(&runs, 1) == 1 { // a workflow is run again by the callback
			<-silent
		}
		return nil
	}
	go func() { late <- x.run() }()
	x.expectEnd(t, way.abandoned)
	comeBack()
	// The late run of a workflow may find that all it has to do is done.
	if err := <-late; err == nil && way.abandoned == "failed" {
		t.Fatal("the client came back late and was told success")
	}
	x.expectEnd(t, way.abandoned) // and changed nothing
}

// The client's part of a saga ends with its submit; it may still vanish while it waits for the result.
func losesAWaitingClient(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	http := harness.StartProxy(t, fmt.Sprintf("127.0.0.1:%d", server.HTTPPort))
	grpc := harness.StartProxy(t, server.GRPC)
	x.http, x.grpc = "http://"+http.Address+"/api/dtmsvr", grpc.Address
	release, answer := make(chan struct{}), make(chan error, 1)
	x.script.On(x.gid, way.lastBranch, way.lastOp, harness.HoldUntil(release))
	go func() { answer <- x.run() }()
	x.script.AwaitCall(t, x.gid, way.lastBranch, way.lastOp, 1)
	http.Hold()
	grpc.Hold()
	close(release)
	x.expectEnd(t, "succeed")
	http.Release()
	grpc.Release()
	must(t, <-answer)
}
