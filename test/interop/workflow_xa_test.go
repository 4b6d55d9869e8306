package interop

import (
	"errors"
	"sync"
	"testing"

	"github.com/dtm-labs/client/workflow"

	"troth/test/interop/harness"
)

// Steps of a workflow that are XA branches of a database: prepared while the workflow runs, committed or
// rolled back at its end by its client.
func TestXaStepsOfAWorkflow(t *testing.T) {
	registerXaWorkflow(t)
	for name, use := range map[string]func(*testing.T, *harness.Troth){"HTTP": useWorkflowHTTP, "gRPC": useWorkflowGRPC} {
		use := use
		t.Run(name, func(t *testing.T) {
			server := harness.StartTroth(t, harness.TrothOptions{})
			use(t, server)
			way := mode{name: "workflow with XA over " + name, run: runWorkflow(xaWorkflow), refuses: toAccount}
			t.Run("success", func(t *testing.T) { succeeds(t, server, way) })
			t.Run("business failure", func(t *testing.T) { isRefused(t, server, way) })
			way.run = runWorkflow(xaWorkflowResumed)
			t.Run("troth killed between the steps", func(t *testing.T) { meetsAKill(t, server, way) })
			if name == "gRPC" { // over HTTP the client finds no record, and begins what is prepared already, for ever
				t.Run("client gone between the steps", func(t *testing.T) { isRunAgain(t, server, way) })
			}
		})
	}
}

const (
	xaWorkflow        = "transfer by XA"
	xaWorkflowResumed = "transfer by XA, resumed after a second"
)

var registerXa sync.Once

func registerXaWorkflow(t *testing.T) {
	t.Helper()
	registerXa.Do(func() {
		must(t, workflow.Register(xaWorkflow, transferByXa))
		must(t, workflow.Register(xaWorkflowResumed, transferByXa, soonAgain))
	})
}

func transferByXa(wf *workflow.Workflow, data []byte) error {
	x, err := findTransfer(data)
	if err != nil {
		return err
	}
	if err := x.bank.DoXa(wf, x.from, -cents); err != nil {
		return err
	}
	if err := x.beforeEnd(); err != nil {
		return err
	}
	return x.bank.DoXa(wf, x.to, cents)
}

func meetsAKill(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	var once sync.Once // the run that troth calls back for meets no second kill, which we would not wait for
	x.beforeEnd = func() error {
		once.Do(func() {
			server.Kill()
			server.Start()
		})
		return nil
	}
	_ = x.run() // over gRPC the connection may still be broken; then troth calls back
	x.expectEnded(t)
}

// troth calls back, and the second run goes on.
func isRunAgain(t *testing.T, server *harness.Troth, way mode) {
	x := newTrial(t, server, way)
	var once sync.Once
	x.beforeEnd = func() (err error) {
		once.Do(func() { err = errors.New("the client breaks down") })
		return err
	}
	expectError(t, x.run(), "breaks down")
	x.expectEnd(t, "succeed")
}

// expectEnded is expectEnd for who may see either end: all is done, or nothing.
func (x *trial) expectEnded(t *testing.T) {
	t.Helper()
	var status string
	harness.EventuallyWithin(t, twoRetries, x.gid+" has ended", func() (string, bool) {
		status = x.server.Query(t, x.gid).Status
		return status, status == "succeed" || status == "failed"
	})
	x.expectEnd(t, status)
}
