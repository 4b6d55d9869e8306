package interop

import (
	"context"
	"net/url"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/go-resty/resty/v2"

	v1 "troth/examples/kratos/api/trans/v1"
	"troth/test/interop/harness"
)

// A try may be a TCC of its own: what it registers lies below its branch, is confirmed before it and, when
// it fails, cancelled with all the rest.
func TestNestedTcc(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		run   func(gid string) error
		nests harness.Reply
	}{
		"HTTP": {tccOfTwoHTTP, nestHTTP},
		"gRPC": {tccOfTwoGRPC, nestGRPC},
	} {
		c := c
		t.Run(name+"/confirmed", func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			shared.script.On(gid, "01", "try", c.nests)
			must(t, c.run(gid))
			transaction := shared.troth.Await(t, gid, "succeed")
			expectCalls(t, gid, "01 try", "0101 try", "02 try", "02 confirm", "0101 confirm", "01 confirm")
			expectStates(t, transaction,
				"01 cancel prepared", "01 confirm succeed", "0101 cancel prepared", "0101 confirm succeed",
				"02 cancel prepared", "02 confirm succeed")
		})
		t.Run(name+"/cancelled", func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			shared.script.On(gid, "01", "try", c.nests)
			shared.script.On(gid, "0101", "try", harness.Refuse("no money"))
			expectError(t, c.run(gid), "no money")
			shared.troth.Await(t, gid, "failed")
			expectCalls(t, gid, "01 try", "0101 try", "0101 cancel", "01 cancel")
		})
	}
}

func tccOfTwoHTTP(gid string) error {
	custom := func(tcc *dtmcli.Tcc) { tcc.WaitResult = true }
	return dtmcli.TccGlobalTransaction2(shared.troth.HTTP, gid, custom, func(tcc *dtmcli.Tcc) (*resty.Response, error) {
		if response, err := callTccHTTP(tcc, "one"); err != nil {
			return response, err
		}
		return callTccHTTP(tcc, "two")
	})
}

func callTccHTTP(tcc *dtmcli.Tcc, body string) (*resty.Response, error) {
	response, err := tcc.CallBranch(body, shared.http+"/try", shared.http+"/confirm", shared.http+"/cancel")
	if err == nil {
		err = dtmcli.HTTPResp2DtmError(response)
	}
	return response, err
}

func nestHTTP(_ context.Context, call harness.Call) error {
	tcc, err := dtmcli.TccFromQuery(url.Values{
		"dtm": {shared.troth.HTTP}, "gid": {call.Gid}, "trans_type": {call.TransType},
		"branch_id": {call.Branch}, "op": {call.Op},
	})
	if err != nil {
		return err
	}
	_, err = callTccHTTP(tcc, "inner")
	return refusal(err)
}

func tccOfTwoGRPC(gid string) error {
	custom := func(tcc *dtmgrpc.TccGrpc) { tcc.WaitResult = true }
	return dtmgrpc.TccGlobalTransaction2(shared.troth.GRPC, gid, custom, func(tcc *dtmgrpc.TccGrpc) error {
		if err := callTccGRPC(tcc); err != nil {
			return err
		}
		return callTccGRPC(tcc)
	})
}

func callTccGRPC(tcc *dtmgrpc.TccGrpc) error {
	out, in := shared.first.Address+transOut, shared.first.Address+transIn
	return tcc.CallBranch(adjust(30, 1), out, in, out, &v1.Response{})
}

func nestGRPC(ctx context.Context, _ harness.Call) error {
	tcc, err := dtmgrpc.TccFromGrpc(ctx)
	if err != nil {
		return err
	}
	return refusal(callTccGRPC(tcc))
}

// refusal hands a failure of the inner branch on as the outer one's.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	return harness.Refuse(err.Error())(context.Background(), harness.Call{})
}
