package interop

import (
	"errors"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"google.golang.org/grpc/codes"

	"troth/test/interop/harness"
)

// The method a prepared message names for asking whether its local part was committed.
const check = trans + transIn

func TestPreparedMsgIsHeldUntilSubmit(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := newMsg(shared.troth.GRPC, trans, gid)
	must(t, msg.Prepare(check))
	must(t, msg.Prepare(check)) // harmless when repeated
	harness.During(t, soon, "a prepared message calls nothing", func() (string, bool) {
		calls := shared.script.Names(gid)
		return "called", len(calls) == 0
	})
	expectEqual(t, "status", shared.troth.Query(t, gid).Status, "prepared")
	must(t, msg.Submit())
	expectCalls(t, gid, "01 action", "02 action")
	expectCode(t, msg.Prepare(check), codes.Aborted, "current status 'succeed', cannot prepare. FAILURE")
}

func TestDoAndSubmit(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection to the database lost")
	for name, c := range map[string]struct {
		business error
		answer   harness.Reply
		status   string
		asked    bool
	}{
		"committed":                       {nil, nil, "succeed", false},
		"refused":                         {dtmcli.ErrFailure, nil, "failed", false},
		"unknown, the check says yes":     {lost, harness.Succeed, "succeed", true},
		"unknown, the check says no":      {lost, harness.Refuse("rolled back"), "failed", true},
		"unknown, the check says ongoing": {lost, harness.Ongoing, "prepared", true},
	} {
		c := c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			if c.answer != nil {
				shared.script.On(gid, "00", "msg", c.answer)
			}
			err := newMsg(shared.troth.GRPC, trans, gid).
				DoAndSubmit(shared.first.Address+transIn, func(*dtmcli.BranchBarrier) error { return c.business })
			if !errors.Is(err, c.business) {
				t.Fatalf("error %v; want %v", err, c.business)
			}
			shared.troth.Await(t, gid, c.status)
			want := []string{}
			if c.asked {
				want = append(want, "00 msg")
			}
			if c.status == "succeed" {
				want = append(want, "01 action", "02 action")
			}
			expectCalls(t, gid, want...)
		})
	}
}

func TestDoAndSubmitOverHTTP(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := dtmcli.NewMsg(shared.troth.HTTP, gid).Add(shared.http+"/a", 1)
	msg.WaitResult = true
	must(t, msg.DoAndSubmit(shared.http+"/check", func(*dtmcli.BranchBarrier) error { return nil }))
	expectCalls(t, gid, "01 action")

	gid = newGid(t)
	msg = dtmcli.NewMsg(shared.troth.HTTP, gid).Add(shared.http+"/a", 1)
	err := msg.DoAndSubmit(shared.http+"/check", func(*dtmcli.BranchBarrier) error { return dtmcli.ErrFailure })
	expectError(t, err, "FAILURE")
	shared.troth.Await(t, gid, "failed")
	expectCalls(t, gid)
}

// A message whose sender died between prepare and submit.
func TestTrothAsksAboutAnAbandonedMsg(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []harness.Reply
		status  string
		calls   []string
	}{
		"committed": {
			[]harness.Reply{harness.Break("not now"), harness.Ongoing, harness.Succeed}, "succeed",
			[]string{"00 msg", "00 msg", "00 msg", "01 action", "02 action"},
		},
		"rolled back": {
			[]harness.Reply{harness.Refuse("rolled back")}, "failed", []string{"00 msg"},
		},
	} {
		c := c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			shared.script.On(gid, "00", "msg", c.answers...)
			msg := newMsg(shared.troth.GRPC, trans, gid)
			msg.TimeoutToFail = 1
			must(t, msg.Prepare(check))
			transaction := shared.troth.Await(t, gid, c.status)
			expectCalls(t, gid, c.calls...)
			expectEqual(t, "payload of the check", shared.script.Calls(gid)[0].Payload, "")
			expectEqual(t, "rollback_reason", transaction.RollbackReason, "")
		})
	}
}

func TestTrothAsksOverHTTP(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := dtmcli.NewMsg(shared.troth.HTTP, gid).Add(shared.http+"/a", 1)
	msg.TimeoutToFail, msg.RetryInterval = 1, 1
	must(t, msg.Prepare(shared.http+"/check"))
	shared.troth.Await(t, gid, "succeed")
	expectCalls(t, gid, "00 msg", "01 action")
	expectEqual(t, "the check", shared.script.Calls(gid)[0].Method, "GET /check")
}

func TestAbortOfAPreparedMsg(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := newMsg(shared.troth.GRPC, trans, gid)
	must(t, msg.Prepare(check))
	code, body, err := shared.troth.Post("abort", `{"gid":"`+gid+`","trans_type":"msg"}`)
	must(t, err)
	expectEqual(t, "answer", body, `{"dtm_result":"SUCCESS"}`)
	expectEqual(t, "code", code, 200)
	expectEqual(t, "status", shared.troth.Query(t, gid).Status, "failed")
	expectCode(t, msg.Submit(), codes.Aborted, "current status 'failed', cannot sumbmit. FAILURE")
}
