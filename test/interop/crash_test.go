package interop

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmgrpc"

	"troth/test/interop/harness"
)

// What was acknowledged is finished after a SIGKILL at any moment: nothing lost, no branch left out.
func TestKilledServerFinishesWhatItAcknowledged(t *testing.T) {
	const transactions, killAfterCalls = 200, 120
	script := harness.NewScript()
	service := harness.StartKratos(t, harness.KratosOptions{Script: script})
	server := harness.StartTroth(t, harness.TrothOptions{})

	acknowledged := submitAll(t, server, service.Address, transactions)
	harness.Eventually(t, "calls are being made", func() (string, bool) {
		return fmt.Sprint(script.Total()), script.Total() >= killAfterCalls
	})
	server.Kill()
	gids := acknowledged()
	if len(gids) == 0 {
		t.Fatal("nothing was acknowledged before the kill")
	}
	server.Start()
	for _, gid := range gids {
		transaction := server.Await(t, gid, "succeed")
		expectStates(t, transaction, "01 action succeed", "02 action succeed")
		script.AwaitCall(t, gid, "01", "action", 1)
		script.AwaitCall(t, gid, "02", "action", 1)
	}
	t.Logf("%d of %d were acknowledged before the kill", len(gids), transactions)
}

// submitAll submits messages from several clients at once. The result waits for the clients to end and
// gives the gids that the server acknowledged.
func submitAll(t *testing.T, server *harness.Troth, service string, transactions int) func() []string {
	const clients = 8
	var mutex sync.Mutex
	var gids []string
	var running sync.WaitGroup
	for client := 0; client < clients; client++ {
		first := client
		running.Add(1)
		go func() {
			defer running.Done()
			for i := first; i < transactions; i += clients {
				gid := fmt.Sprintf("%s-%d", t.Name(), i)
				msg := newMsg(server.GRPC, service, gid)
				msg.WaitResult = false
				if msg.Submit() != nil {
					continue
				}
				mutex.Lock()
				gids = append(gids, gid)
				mutex.Unlock()
			}
		}()
	}
	return func() []string {
		running.Wait()
		return gids
	}
}

// Killed again and again while it works: still nothing is lost.
func TestServerKilledRepeatedly(t *testing.T) {
	const transactions, kills = 120, 4
	script := harness.NewScript()
	script.OnAll(slowly)
	service := harness.StartKratos(t, harness.KratosOptions{Script: script})
	server := harness.StartTroth(t, harness.TrothOptions{})
	var gids []string
	for round := 0; round < kills; round++ {
		for i := 0; i < transactions/kills; i++ {
			gid := fmt.Sprintf("%s-%d-%d", t.Name(), round, i)
			msg := newMsg(server.GRPC, service.Address, gid)
			msg.WaitResult = false
			harness.Eventually(t, "submit "+gid, func() (string, bool) {
				err := msg.Submit() // the connection needs a moment after a restart
				return fmt.Sprint(err), err == nil
			})
			gids = append(gids, gid)
		}
		server.Kill()
		server.Start()
	}
	for _, gid := range gids {
		expectStates(t, server.Await(t, gid, "succeed"), "01 action succeed", "02 action succeed")
	}
}

var slowly = harness.After(20 * time.Millisecond)

// A kill in the middle of a rollback: it goes on, and no action is called after its compensation.
func TestServerKilledWhileCompensating(t *testing.T) {
	script := harness.NewScript()
	service := harness.StartKratos(t, harness.KratosOptions{Script: script})
	server := harness.StartTroth(t, harness.TrothOptions{})
	gid := newGid(t)
	script.On(gid, "03", "action", harness.Refuse("no money"))
	script.On(gid, "02", "compensate", harness.Hang, harness.Succeed)
	saga := dtmgrpc.NewSagaGrpc(server.GRPC, gid)
	for user := int64(1); user <= 3; user++ {
		saga.Add(service.Address+transOut, service.Address+transIn, adjust(30, user))
	}
	saga.RetryInterval = 1
	must(t, saga.Submit())
	script.AwaitCall(t, gid, "02", "compensate", 1)
	server.Kill()
	server.Start()
	transaction := server.Await(t, gid, "failed")
	expectEqual(t, "rollback_reason", transaction.RollbackReason,
		"url:"+service.Address+transOut+" return failed: no money FAILURE")
	compensating := false
	for _, call := range script.Calls(gid) {
		compensating = compensating || call.Op == "compensate"
		if compensating && call.Op == "action" {
			t.Fatalf("an action after a compensation: %v", script.Names(gid))
		}
	}
	script.AwaitCall(t, gid, "01", "compensate", 1)
}

// A client that waited for the result of a transaction when the server was killed can ask later.
func TestServerKilledDuringACall(t *testing.T) {
	script := harness.NewScript()
	service := harness.StartKratos(t, harness.KratosOptions{Script: script})
	server := harness.StartTroth(t, harness.TrothOptions{})
	gid := newGid(t)
	script.On(gid, "02", "action", harness.Hang, harness.Succeed)
	answer := make(chan error, 1)
	go func() { answer <- newMsg(server.GRPC, service.Address, gid).Submit() }()
	script.AwaitCall(t, gid, "02", "action", 1)
	server.Kill()
	if err := <-answer; err == nil {
		t.Fatal("the waiting client was told success")
	}
	server.Start()
	server.Await(t, gid, "succeed")
	script.AwaitCall(t, gid, "02", "action", 2)
	expectEqual(t, "calls of 01", script.Names(gid)[0], "01 action")
}

// Prepared messages and delays survive as well.
func TestKilledServerRemembersPreparedAndDelayed(t *testing.T) {
	script := harness.NewScript()
	service := harness.StartKratos(t, harness.KratosOptions{Script: script})
	server := harness.StartTroth(t, harness.TrothOptions{})
	prepared, delayed := newGid(t), newGid(t)
	msg := newMsg(server.GRPC, service.Address, prepared)
	msg.TimeoutToFail = 4
	must(t, msg.Prepare(service.Address+transIn))
	msg = newMsg(server.GRPC, service.Address, delayed).SetDelay(2)
	msg.WaitResult = false
	began := time.Now()
	must(t, msg.Submit())
	server.Kill()
	server.Start()
	server.Await(t, prepared, "succeed")
	expectEqual(t, "prepared", script.Names(prepared), []string{"00 msg", "01 action", "02 action"})
	server.Await(t, delayed, "succeed")
	if after := script.Calls(delayed)[0].At.Sub(began); after < 2*time.Second {
		t.Fatalf("the delayed message was sent after %v", after)
	}
}
