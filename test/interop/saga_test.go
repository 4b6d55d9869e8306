package interop

import (
	"fmt"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc/codes"

	"troth/test/interop/harness"
)

func TestSagaSucceeds(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	must(t, newSaga(shared.troth.GRPC, trans, gid).Submit())
	expectCalls(t, gid, "01 action", "02 action")
	expectStates(t, shared.troth.Query(t, gid),
		"01 compensate prepared", "01 action succeed", "02 compensate prepared", "02 action succeed")
}

func TestSagaIsCompensatedInReverse(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "03", "action", harness.Refuse("no money"))
	reason := fmt.Sprintf("url:%s/a3 return failed: no money FAILURE", shared.http)
	expectError(t, newHTTPSaga(gid, 4).Submit(), reason)
	expectCalls(t, gid, "01 action", "02 action", "03 action", "03 compensate", "02 compensate", "01 compensate")
	transaction := shared.troth.Await(t, gid, "failed")
	expectEqual(t, "rollback_reason", transaction.RollbackReason, reason)
	if transaction.RollbackTime == nil || transaction.FinishTime != nil {
		t.Fatalf("finish_time %v, rollback_time %v", transaction.FinishTime, transaction.RollbackTime)
	}
	expectStates(t, transaction,
		"01 compensate succeed", "01 action succeed", "02 compensate succeed", "02 action succeed",
		"03 compensate succeed", "03 action failed", "04 compensate prepared", "04 action prepared")
	for _, call := range shared.script.Calls(gid) {
		expectEqual(t, "payload", call.Payload, fmt.Sprintf(`{"step":%s}`, call.Branch[1:]))
	}
}

func TestSagaReasonOverGRPC(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Refuse("no money"))
	reason := "url:" + trans + transOut + " return failed: no money FAILURE"
	expectCode(t, newSaga(shared.troth.GRPC, trans, gid).Submit(), codes.Aborted, reason)
	expectEqual(t, "rollback_reason", shared.troth.Await(t, gid, "failed").RollbackReason, reason)
	expectCalls(t, gid, "01 action", "01 compensate")
}

func TestSagaStepWithoutCompensation(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "02", "action", harness.Refuse("no"))
	saga := dtmgrpc.NewSagaGrpc(shared.troth.GRPC, gid).
		Add(trans+transOut, "", adjust(1, 1)).
		Add(trans+transIn, trans+transOut, adjust(1, 2))
	saga.WaitResult = true
	expectCode(t, saga.Submit(), codes.Aborted, "no FAILURE")
	shared.troth.Await(t, gid, "failed")
	expectCalls(t, gid, "01 action", "02 action", "02 compensate")
}

func TestSagaWithoutWaiting(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "02", "action", harness.Refuse("no"))
	saga := newSaga(shared.troth.GRPC, trans, gid)
	saga.WaitResult = false
	must(t, saga.Submit())
	shared.troth.Await(t, gid, "failed")
	expectCalls(t, gid, "01 action", "02 action", "02 compensate", "01 compensate")
}

func TestCompensationIsRepeatedUntilItSucceeds(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "02", "action", harness.Refuse("no"))
	shared.script.On(gid, "02", "compensate", harness.Break("later"), harness.Succeed)
	shared.script.On(gid, "01", "compensate", harness.Refuse("cannot undo"), harness.Ongoing, harness.Succeed)
	expectCode(t, newSaga(shared.troth.GRPC, trans, gid).Submit(), codes.Aborted, "no FAILURE")
	expectEqual(t, "status", shared.troth.Query(t, gid).Status, "aborting")
	shared.troth.Await(t, gid, "failed")
	expectCalls(t, gid, "01 action", "02 action", "02 compensate", "02 compensate",
		"01 compensate", "01 compensate", "01 compensate")
}

func TestSagaOngoing(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Ongoing, harness.Succeed)
	expectCode(t, newSaga(shared.troth.GRPC, trans, gid).Submit(), codes.Aborted, notFinished)
	shared.troth.Await(t, gid, "succeed")
	expectCalls(t, gid, "01 action", "01 action", "02 action")
}

// Who waits for what goes on is told so, where the operator wants it.
func TestStrictWaitResult(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{Conf: "WaitResultStrict: 1"})
	for _, kind := range []string{"saga", "msg"} {
		gid := newGid(t)
		shared.script.On(gid, "01", "action", harness.Ongoing, harness.Succeed)
		submit := newSaga(server.GRPC, shared.first.Address, gid).Submit
		if kind == "msg" {
			submit = newMsg(server.GRPC, shared.first.Address, gid).Submit
		}
		expectCode(t, submit(), codes.FailedPrecondition, "ONGOING")
		server.Await(t, gid, "succeed")
	}
}

func TestConcurrentSagaObeysItsOrders(t *testing.T) {
	t.Parallel()
	gid, release := newGid(t), make(chan struct{})
	shared.script.On(gid, "01", "action", harness.HoldUntil(release))
	shared.script.On(gid, "02", "action", harness.HoldUntil(release))
	saga := newHTTPSaga(gid, 4).SetConcurrent().
		AddBranchOrder(2, []int{0, 1}).AddBranchOrder(3, []int{2})
	saga.WaitResult = false
	must(t, saga.Submit())
	shared.script.AwaitCall(t, gid, "01", "action", 1) // both run at the same time
	shared.script.AwaitCall(t, gid, "02", "action", 1)
	harness.During(t, soon, "steps wait for those before them", func() (string, bool) {
		return fmt.Sprint(shared.script.Names(gid)), len(shared.script.Names(gid)) == 2
	})
	close(release)
	shared.troth.Await(t, gid, "succeed")
	expectEqual(t, "last calls", shared.script.Names(gid)[2:], []string{"03 action", "04 action"})
}

func TestConcurrentSagaIsCompensatedAgainstItsOrders(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "03", "action", harness.Refuse("no"))
	saga := newHTTPSaga(gid, 4).SetConcurrent().
		AddBranchOrder(2, []int{0, 1}).AddBranchOrder(3, []int{2})
	expectError(t, saga.Submit(), "no FAILURE")
	shared.troth.Await(t, gid, "failed")
	calls := shared.script.Names(gid)
	expectEqual(t, "calls", len(calls), 6)
	expectEqual(t, "step 3 and its compensation", calls[2:4], []string{"03 action", "03 compensate"})
	expectSame(t, calls[:2], "01 action", "02 action")
	expectSame(t, calls[4:], "01 compensate", "02 compensate")
}

func expectSame(t *testing.T, got []string, one, other string) {
	t.Helper()
	if !(got[0] == one && got[1] == other) && !(got[0] == other && got[1] == one) {
		t.Fatalf("%v; want %s and %s in any order", got, one, other)
	}
}

func TestRetryLimitReached(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "02", "action", harness.Break("never"))
	saga := newSaga(shared.troth.GRPC, trans, gid)
	saga.RetryLimit = 2
	reason := "RetryCount is greater than RetryLimit, RetryLimit: 2"
	expectCode(t, saga.Submit(), codes.Aborted, reason)
	expectEqual(t, "rollback_reason", shared.troth.Await(t, gid, "failed").RollbackReason, reason)
	expectCalls(t, gid, "01 action", "02 action", "02 action", "02 action", "02 compensate", "01 compensate")
}

func TestRetryLimitNotReached(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Break("once"), harness.Break("twice"), harness.Succeed)
	saga := newSaga(shared.troth.GRPC, trans, gid)
	saga.RetryLimit = 3
	must(t, saga.Submit()) // all within the pass that the client waits for
	expectCalls(t, gid, "01 action", "01 action", "01 action", "02 action")
}

func TestSagaTimesOut(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "action", harness.Ongoing)
	saga := newSaga(shared.troth.GRPC, trans, gid)
	saga.TimeoutToFail = 3
	expectCode(t, saga.Submit(), codes.Aborted, notFinished)
	transaction := shared.troth.Await(t, gid, "failed")
	if took := time.Since(*transaction.CreateTime); took < 3*time.Second { // dtm's tables have whole seconds
		t.Fatalf("gave up after %v", took)
	}
	expectEqual(t, "rollback_reason", transaction.RollbackReason, "Timeout after 3 seconds")
	expectStates(t, transaction,
		"01 compensate succeed", "01 action prepared", "02 compensate prepared", "02 action prepared")
}

func TestSagaWaitsForAServiceThatIsDown(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	service := harness.StartKratos(t, harness.KratosOptions{Script: shared.script})
	address := service.Address
	service.Stop()
	expectCode(t, newSaga(shared.troth.GRPC, address, gid).Submit(), codes.Aborted, notFinished)
	expectEqual(t, "status", shared.troth.Query(t, gid).Status, "submitted")
	harness.StartKratos(t, harness.KratosOptions{Script: shared.script, Address: address})
	shared.troth.Await(t, gid, "succeed")
}

// How answers of services are understood, protocol/server.md 5.2 and 5.4.
func TestWhatAnswersMean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer harness.Reply
		http   bool
		status string // of the saga after its first pass
	}{
		"HTTP 200":                     {harness.AnswerHTTP(200, "anything"), true, "succeed"},
		"HTTP 200 with FAILURE":        {harness.AnswerHTTP(200, `{"dtm_result":"FAILURE"}`), true, "failed"},
		"HTTP 200 with ONGOING":        {harness.AnswerHTTP(200, `{"dtm_result":"ONGOING"}`), true, "submitted"},
		"HTTP 409 with ONGOING":        {harness.AnswerHTTP(409, "xONGOINGx"), true, "submitted"},
		"HTTP 409":                     {harness.AnswerHTTP(409, ""), true, "failed"},
		"HTTP 500 with FAILURE":        {harness.AnswerHTTP(500, "xFAILUREx"), true, "failed"},
		"HTTP 425":                     {harness.AnswerHTTP(425, ""), true, "submitted"},
		"HTTP 201":                     {harness.AnswerHTTP(201, ""), true, "submitted"},
		"HTTP 204":                     {harness.AnswerHTTP(204, ""), true, "submitted"},
		"HTTP 404":                     {harness.AnswerHTTP(404, ""), true, "submitted"},
		"HTTP 500":                     {harness.AnswerHTTP(500, "oops"), true, "submitted"},
		"gRPC ABORTED":                 {harness.AnswerGRPC(codes.Aborted, "m"), false, "failed"},
		"gRPC ABORTED ONGOING":         {harness.AnswerGRPC(codes.Aborted, "ONGOING"), false, "submitted"},
		"gRPC FAILED_PRECONDITION":     {harness.AnswerGRPC(codes.FailedPrecondition, ""), false, "submitted"},
		"gRPC INTERNAL with FAILURE":   {harness.AnswerGRPC(codes.Internal, "xFAILUREx"), false, "submitted"},
		"gRPC NOT_FOUND":               {harness.AnswerGRPC(codes.NotFound, ""), false, "submitted"},
		"gRPC UNAVAILABLE":             {harness.AnswerGRPC(codes.Unavailable, ""), false, "submitted"},
		"gRPC with a message in UTF-8": {harness.AnswerGRPC(codes.Aborted, "kein Geld für Käse 乾酪"), false, "failed"},
	} {
		name, c := name, c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			shared.script.On(gid, "01", "action", c.answer)
			if c.http {
				saga := newHTTPSaga(gid, 1)
				saga.RetryInterval = 60
				_ = saga.Submit()
			} else {
				saga := newSaga(shared.troth.GRPC, trans, gid)
				saga.RetryInterval = 60
				_ = saga.Submit()
			}
			transaction := shared.troth.Await(t, gid, c.status)
			if name == "gRPC with a message in UTF-8" {
				expectEqual(t, "rollback_reason", transaction.RollbackReason,
					"url:"+trans+transOut+" return failed: kein Geld für Käse 乾酪 FAILURE")
			}
		})
	}
}
