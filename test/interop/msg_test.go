package interop

import (
	"fmt"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc/codes"

	"troth/test/interop/harness"
)

const trans = "discovery:///trans"

// What a waiting client is told when the first pass did not finish the transaction.
const notFinished = "wait result not return success"

func TestSubmitWithoutWaitingDoesNotWaitForBranches(t *testing.T) {
	t.Parallel()
	gid, release := newGid(t), make(chan struct{})
	shared.script.On(gid, "01", "action", harness.HoldUntil(release))
	msg := newMsg(shared.troth.GRPC, trans, gid)
	msg.WaitResult = false
	must(t, msg.Submit())
	shared.script.AwaitCall(t, gid, "01", "action", 1)
	expectStates(t, shared.troth.Await(t, gid, "submitted"), "01 action prepared", "02 action prepared")
	close(release)
	shared.troth.Await(t, gid, "succeed")
}

func TestWaitResultReturnsWhenAllIsDone(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	must(t, newMsg(shared.troth.GRPC, trans, gid).Submit())
	transaction := shared.troth.Query(t, gid)
	expectEqual(t, "status", transaction.Status, "succeed")
	expectEqual(t, "type", transaction.TransType, "msg")
	expectEqual(t, "protocol", transaction.Protocol, "grpc")
	if transaction.FinishTime == nil || transaction.RollbackTime != nil {
		t.Fatalf("finish_time %v, rollback_time %v", transaction.FinishTime, transaction.RollbackTime)
	}
}

func TestMsgOverHTTP(t *testing.T) {
	t.Parallel()
	gid := dtmcli.MustGenGid(shared.troth.HTTP)
	msg := dtmcli.NewMsg(shared.troth.HTTP, gid).
		Add(shared.http+"/out?own=1", map[string]int{"amount": 30}).
		Add(shared.http+"/in", nil)
	msg.WaitResult = true
	must(t, msg.Submit())
	calls := shared.script.Calls(gid)
	expectCalls(t, gid, "01 action", "02 action")
	expectEqual(t, "first call", calls[0].Method+" "+calls[0].Payload, `POST /out {"amount":30}`)
	expectEqual(t, "second call", calls[1].Method+" "+calls[1].Payload, `POST /in null`)
	expectEqual(t, "type", calls[0].TransType, "msg")
	expectEqual(t, "protocol", shared.troth.Query(t, gid).Protocol, "http")
}

func TestMsgNeverRollsBack(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "02", "action", harness.Refuse("not today"), harness.Succeed)
	expectCode(t, newMsg(shared.troth.GRPC, trans, gid).Submit(), codes.Aborted, "not today")
	shared.troth.Await(t, gid, "succeed")
	expectCalls(t, gid, "01 action", "02 action", "02 action")
}

func TestOngoingIsAskedAgainAtTheSameInterval(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Ongoing, harness.Ongoing, harness.Ongoing, harness.Succeed)
	expectCode(t, newMsg(shared.troth.GRPC, trans, gid).Submit(), codes.Aborted, notFinished)
	shared.troth.Await(t, gid, "succeed")
	calls := shared.script.Calls(gid)
	expectCalls(t, gid, "01 action", "01 action", "01 action", "01 action", "02 action")
	for i := 1; i < 4; i++ {
		expectPause(t, calls[i-1], calls[i], time.Second, 6*time.Second)
	}
	expectPause(t, calls[0], calls[3], 3*time.Second, 6*time.Second) // doubled each time it would be seven
}

func TestErrorsAreAskedAgainAtGrowingIntervals(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Break("out of order"), harness.Break("still"), harness.Succeed)
	expectCode(t, newMsg(shared.troth.GRPC, trans, gid).Submit(), codes.Unknown, "out of order")
	shared.troth.Await(t, gid, "succeed")
	calls := shared.script.Calls(gid)
	expectCalls(t, gid, "01 action", "01 action", "01 action", "02 action")
	expectPause(t, calls[0], calls[1], 2*time.Second, 7*time.Second)
	expectPause(t, calls[1], calls[2], 4*time.Second, 10*time.Second)
}

// expectPause allows a tenth less than the lower bound: retries are spread, so that not all come at once.
func expectPause(t *testing.T, before, after harness.Call, low, high time.Duration) {
	t.Helper()
	pause := after.At.Sub(before.At)
	if pause < low*9/10 || pause > high {
		t.Fatalf("pause of %v between two calls; want %v to %v", pause, low, high)
	}
}

func TestAServiceThatIsDownIsCalledWhenItIsBack(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	service := harness.StartKratos(t, harness.KratosOptions{Script: shared.script})
	address := service.Address
	service.Stop()
	err := newMsg(shared.troth.GRPC, address, gid).Submit()
	expectCode(t, err, codes.Unavailable, "will be retried")
	expectCalls(t, gid)
	harness.StartKratos(t, harness.KratosOptions{Script: shared.script, Address: address})
	shared.troth.Await(t, gid, "succeed")
	expectCalls(t, gid, "01 action", "02 action")
}

func TestRequestTimeoutEndsACall(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Hang, harness.Succeed)
	msg := newMsg(shared.troth.GRPC, trans, gid)
	msg.RequestTimeout = 2
	began := time.Now()
	expectCode(t, msg.Submit(), codes.DeadlineExceeded, "will be retried")
	if took := time.Since(began); took < 1900*time.Millisecond || took > 10*time.Second {
		t.Fatalf("the call took %v", took)
	}
	if left := shared.script.AwaitCall(t, gid, "01", "action", 1)[0].Left; left <= 0 || left > 2*time.Second {
		t.Fatalf("the service was told a deadline of %v", left)
	}
	shared.troth.Await(t, gid, "succeed")
}

func TestRequestTimeoutOverHTTP(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Hang, harness.Succeed)
	// Not by the client, whose own request would have the timeout of the calls.
	code, body, err := shared.troth.Post("submit", fmt.Sprintf(
		`{"gid":"%s","trans_type":"msg","steps":[{"action":"%s/slow"}],"payloads":["1"],"retry_interval":1,"request_timeout":2}`,
		gid, shared.http))
	must(t, err)
	expectEqual(t, "answer", fmt.Sprint(code, " ", body), `200 {"dtm_result":"SUCCESS"}`)
	shared.troth.Await(t, gid, "succeed")
	calls := shared.script.Calls(gid)
	expectCalls(t, gid, "01 action", "01 action")
	// The timeout and the interval of two seconds each. The service may be late to hear of the first call.
	expectPause(t, calls[0], calls[1], 2500*time.Millisecond, 15*time.Second)
}

func TestDelayedMsg(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	began := time.Now()
	expectCode(t, newMsg(shared.troth.GRPC, trans, gid).SetDelay(2).Submit(), codes.Aborted, notFinished)
	shared.troth.Await(t, gid, "succeed")
	for _, call := range shared.script.Calls(gid) {
		if delay := call.At.Sub(began); delay < 2*time.Second || delay > 12*time.Second {
			t.Fatalf("called %v after submit; want 2 s", delay)
		}
	}
}

func TestMetadataOfACall(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := dtmgrpc.NewMsgGrpc(shared.troth.GRPC, gid, dtmgrpc.WithBranchHeaders(map[string]string{
		"x-tenant": "blue", "X-Upper": "kept",
	})).Add(trans+transOut, adjust(1, 2))
	msg.WaitResult = true
	must(t, msg.Submit())
	headers := shared.script.Calls(gid)[0].Headers
	for name, want := range map[string]string{
		"dtm-gid": gid, "dtm-trans_type": "msg", "dtm-branch_id": "01", "dtm-op": "action",
		"x-tenant": "blue", "x-upper": "kept",
	} {
		expectEqual(t, name, headers[name], want)
	}
	if dtm, there := headers["dtm-dtm"]; !there || dtm != "" {
		t.Fatalf("dtm-dtm: %q, there: %v; want it there and empty", dtm, there)
	}
}

func TestHeadersOfAnHTTPCall(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := dtmcli.NewMsg(shared.troth.HTTP, gid).Add(shared.http+"/in", 1)
	msg.WaitResult = true
	msg.BranchHeaders = map[string]string{"X-Tenant": "blue"}
	must(t, msg.Submit())
	headers := shared.script.Calls(gid)[0].Headers
	expectEqual(t, "X-Tenant", headers["x-tenant"], "blue")
	expectEqual(t, "Content-Type", headers["content-type"], "application/json")
}

func TestConcurrentMsgCallsAllBranches(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Break("first attempt"), harness.Succeed)
	msg := dtmcli.NewMsg(shared.troth.HTTP, gid).
		Add(shared.http+"/a", 1).Add(shared.http+"/b", 2).Add(shared.http+"/c", 3)
	msg.Concurrent = true
	msg.RetryInterval = 1
	must(t, msg.Submit())
	shared.script.AwaitCall(t, gid, "02", "action", 1)
	shared.script.AwaitCall(t, gid, "03", "action", 1)
	expectStates(t, shared.troth.Await(t, gid, "succeed"),
		"01 action succeed", "02 action succeed", "03 action succeed")
}

func TestSubmittingAgain(t *testing.T) {
	t.Parallel()
	gid, release := newGid(t), make(chan struct{})
	shared.script.On(gid, "01", "action", harness.HoldUntil(release))
	msg := newMsg(shared.troth.GRPC, trans, gid)
	msg.WaitResult = false
	must(t, msg.Submit())
	must(t, msg.Submit()) // a client that did not see the first answer
	close(release)
	shared.troth.Await(t, gid, "succeed")
	expectCode(t, msg.Submit(), codes.Aborted, "current status 'succeed', cannot sumbmit. FAILURE")
	expectEqual(t, "calls of 02", len(shared.script.AwaitCall(t, gid, "02", "action", 1)), 1)
}

func TestGidsWithOddCharacters(t *testing.T) {
	for _, gid := range []string{
		"w1", "w10", "a b", "50%", `quo"te'd`, "käse-乾酪", "a/b?c=d&e#f", "..", "-",
	} {
		gid := gid
		t.Run(gid, func(t *testing.T) {
			t.Parallel()
			must(t, newMsg(shared.troth.GRPC, trans, gid).Submit())
			if gid != "käse-乾酪" { // metadata is ASCII; what a service sees of this one is its own affair
				expectCalls(t, gid, "01 action", "02 action")
			}
			expectStates(t, shared.troth.Await(t, gid, "succeed"), "01 action succeed", "02 action succeed")

			http := gid + " over HTTP"
			msg := dtmcli.NewMsg(shared.troth.HTTP, http).Add(shared.http+"/a", 1)
			msg.WaitResult = true
			must(t, msg.Submit())
			expectCalls(t, http, "01 action")
		})
	}
}
