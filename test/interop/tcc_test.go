package interop

import (
	"errors"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/go-resty/resty/v2"
	"google.golang.org/grpc/codes"

	v1 "troth/examples/kratos/api/trans/v1"
	"troth/test/interop/harness"
)

// callBranch runs a TCC branch over gRPC: the client calls the try, troth confirm or cancel. The client
// cannot dial discovery://, so the try has an address of its own.
func callBranch(tcc *dtmgrpc.TccGrpc, user int64) error {
	return tcc.CallBranch(adjust(30, user), shared.first.Address+transOut, trans+transIn, trans+transOut, &v1.Response{})
}

func TestTccConfirmsInReverse(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	must(t, dtmgrpc.TccGlobalTransaction2(shared.troth.GRPC, gid, waitTcc, func(tcc *dtmgrpc.TccGrpc) error {
		if err := callBranch(tcc, 1); err != nil {
			return err
		}
		return callBranch(tcc, 2)
	}))
	expectCalls(t, gid, "01 try", "02 try", "02 confirm", "01 confirm")
	expectEqual(t, "payload", shared.script.Calls(gid)[2].Payload, wire(t, adjust(30, 2)))
	expectStates(t, shared.troth.Await(t, gid, "succeed"),
		"01 cancel prepared", "01 confirm succeed", "02 cancel prepared", "02 confirm succeed")
}

func waitTcc(tcc *dtmgrpc.TccGrpc) {
	tcc.WaitResult = true
	tcc.RetryInterval = 1
}

func TestTccCancelsInReverse(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "02", "try", harness.Refuse("no money"))
	err := dtmgrpc.TccGlobalTransaction2(shared.troth.GRPC, gid, waitTcc, func(tcc *dtmgrpc.TccGrpc) error {
		if err := callBranch(tcc, 1); err != nil {
			return err
		}
		return callBranch(tcc, 2)
	})
	expectCode(t, err, codes.Aborted, "no money")
	transaction := shared.troth.Await(t, gid, "failed")
	expectCalls(t, gid, "01 try", "02 try", "02 cancel", "01 cancel")
	expectError(t, errors.New(transaction.RollbackReason), "no money")
}

func TestTccConfirmIsRepeated(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	shared.script.On(gid, "01", "confirm", harness.Ongoing, harness.Refuse("not now"), harness.Succeed)
	err := dtmgrpc.TccGlobalTransaction2(shared.troth.GRPC, gid, waitTcc, func(tcc *dtmgrpc.TccGrpc) error {
		return callBranch(tcc, 1)
	})
	expectCode(t, err, codes.FailedPrecondition, "ONGOING")
	shared.troth.Await(t, gid, "succeed")
	expectCalls(t, gid, "01 try", "01 confirm", "01 confirm", "01 confirm")
}

func TestAnAbandonedTccIsCancelled(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	code, body, err := shared.troth.Post("prepare", `{"gid":"`+gid+`","trans_type":"tcc","timeout_to_fail":4,"retry_interval":1}`)
	must(t, err)
	expectEqual(t, "prepare", body, `{"dtm_result":"SUCCESS"}`)
	expectEqual(t, "code", code, 200)
	register := `{"gid":"` + gid + `","trans_type":"tcc","branch_id":"01","data":"{}",` +
		`"confirm":"` + shared.http + `/confirm","cancel":"` + shared.http + `/cancel"}`
	_, body, err = shared.troth.Post("registerBranch", register)
	must(t, err)
	expectEqual(t, "registerBranch", body, `{"dtm_result":"SUCCESS"}`)
	transaction := shared.troth.Await(t, gid, "failed")
	expectEqual(t, "rollback_reason", transaction.RollbackReason, "Timeout after 4 seconds")
	expectCalls(t, gid, "01 cancel")
	code, body, err = shared.troth.Post("registerBranch", register)
	must(t, err)
	expectEqual(t, "late registerBranch", code, 409)
	expectEqual(t, "its answer", body,
		`{"dtm_result":"FAILURE","message":"no trans with gid: `+gid+` status: prepared found FAILURE"}`)
}

func TestTccOverHTTP(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer harness.Reply
		status string
		calls  []string
	}{
		"confirmed": {harness.Succeed, "succeed", []string{"01 try", "02 try", "02 confirm", "01 confirm"}},
		"cancelled": {harness.Refuse("no"), "failed", []string{"01 try", "02 try", "02 cancel", "01 cancel"}},
	} {
		c := c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			shared.script.On(gid, "02", "try", c.answer)
			_ = dtmcli.TccGlobalTransaction(shared.troth.HTTP, gid, func(tcc *dtmcli.Tcc) (*resty.Response, error) {
				response, err := tcc.CallBranch("one", shared.http+"/try", shared.http+"/confirm", shared.http+"/cancel")
				if err != nil {
					return response, err
				}
				return tcc.CallBranch("two", shared.http+"/try", shared.http+"/confirm", shared.http+"/cancel")
			})
			shared.troth.Await(t, gid, c.status)
			expectCalls(t, gid, c.calls...)
			expectEqual(t, "payload", shared.script.Calls(gid)[2].Payload, `"two"`)
		})
	}
}
