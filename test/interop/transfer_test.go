package interop

import (
	"database/sql"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/go-resty/resty/v2"

	v1 "troth/examples/kratos/api/trans/v1"
	"troth/test/interop/harness"
)

// transfer moves 30 cents between two accounts of the bank by one global transaction.
type transfer struct {
	http, grpc string // troth's addresses, for the client
	bank       *harness.Bank
	gid        string
	from, to   int64
	// timeout in seconds after which troth gives up on a silent client; 0 is its default.
	timeout int64
	// beforeEnd runs in the client when its own part is done and only the last word to troth is
	// missing: of a message the local transaction is committed, of a TCC or XA all branches are called,
	// of a workflow the first. Its error is the client's.
	beforeEnd func() error
	cleanup   func(func()) // when the test has ended
}

const cents = 30

// newTransfer opens the accounts, with 100 cents each.
func newTransfer(t *testing.T, server *harness.Troth, bank *harness.Bank, gid string) *transfer {
	t.Helper()
	return &transfer{
		http: server.HTTP, grpc: server.GRPC, bank: bank, gid: gid,
		from: bank.OpenAccount(t, 100), to: bank.OpenAccount(t, 100),
		beforeEnd: func() error { return nil }, cleanup: t.Cleanup,
	}
}

func (x *transfer) out() harness.Entry { return harness.Entry{Account: x.from, Amount: cents} }
func (x *transfer) in() harness.Entry  { return harness.Entry{Account: x.to, Amount: cents} }

// mode is one way to run a transfer with the published client.
type mode struct {
	name string
	run  func(x *transfer) error
	// refuses is the account that has to be closed for a business failure after something was done.
	refuses func(x *transfer) int64
	// lastBranch and lastOp are the call that ends a successful transfer.
	lastBranch, lastOp string
	// abandoned is how a transfer ends whose client falls silent where beforeEnd is.
	abandoned string
}

func fromAccount(x *transfer) int64 { return x.from }
func toAccount(x *transfer) int64   { return x.to }

// modes are all but the workflow, whose client holds its protocol in a global: see workflowModes.
var modes = []mode{
	{"msg over HTTP", msgHTTP, fromAccount, "01", "action", "succeed"},
	{"msg over gRPC", msgGRPC, fromAccount, "01", "action", "succeed"},
	{"saga over HTTP", sagaHTTP, toAccount, "02", "action", ""},
	{"saga over gRPC", sagaGRPC, toAccount, "02", "action", ""},
	{"tcc over HTTP", tccHTTP, toAccount, "01", "confirm", "failed"},
	{"tcc over gRPC", tccGRPC, toAccount, "01", "confirm", "failed"},
	{"xa over HTTP", xaHTTP, toAccount, "02", "commit", "failed"},
	{"xa over gRPC", xaGRPC, toAccount, "02", "commit", "failed"},
}

// A message: the local transaction takes the money, the one branch gives it.
func msgHTTP(x *transfer) error {
	msg := dtmcli.NewMsg(x.http, x.gid).Add(x.bank.URL+"/in", x.in())
	msg.WaitResult, msg.RetryInterval, msg.TimeoutToFail = true, 1, x.timeout
	return msg.DoAndSubmit(x.bank.URL+"/check", x.takeLocally)
}

func msgGRPC(x *transfer) error {
	msg := dtmgrpc.NewMsgGrpc(x.grpc, x.gid).Add(x.bank.Address+transIn, adjust(cents, x.to))
	msg.WaitResult, msg.RetryInterval, msg.TimeoutToFail = true, 1, x.timeout
	return msg.DoAndSubmit(x.bank.Address+transIn, x.takeLocally)
}

func (x *transfer) takeLocally(barrier *dtmcli.BranchBarrier) error {
	err := barrier.CallWithDB(x.bank.MariaDB.DB, func(tx *sql.Tx) error {
		return harness.Book(tx, "msg", x.from, -cents)
	})
	if err != nil {
		return err
	}
	return x.beforeEnd()
}

func sagaHTTP(x *transfer) error {
	saga := dtmcli.NewSaga(x.http, x.gid).
		Add(x.bank.URL+"/out", x.bank.URL+"/out", x.out()).
		Add(x.bank.URL+"/in", x.bank.URL+"/in", x.in())
	saga.WaitResult, saga.RetryInterval = true, 1
	if err := x.beforeEnd(); err != nil {
		return err
	}
	return saga.Submit()
}

func sagaGRPC(x *transfer) error {
	saga := dtmgrpc.NewSagaGrpc(x.grpc, x.gid).
		Add(x.bank.Address+transOut, x.bank.Address+transOut, adjust(cents, x.from)).
		Add(x.bank.Address+transIn, x.bank.Address+transIn, adjust(cents, x.to))
	saga.WaitResult, saga.RetryInterval = true, 1
	if err := x.beforeEnd(); err != nil {
		return err
	}
	return saga.Submit()
}

func tccHTTP(x *transfer) error {
	custom := func(tcc *dtmcli.Tcc) { tcc.WaitResult, tcc.RetryInterval, tcc.TimeoutToFail = true, 1, x.timeout }
	out, in := x.bank.URL+"/out", x.bank.URL+"/in"
	return dtmcli.TccGlobalTransaction2(x.http, x.gid, custom, func(tcc *dtmcli.Tcc) (*resty.Response, error) {
		if response, err := tcc.CallBranch(x.out(), out, out, out); err != nil {
			return response, err
		}
		if response, err := tcc.CallBranch(x.in(), in, in, in); err != nil {
			return response, err
		}
		return nil, x.beforeEnd()
	})
}

func tccGRPC(x *transfer) error {
	custom := func(tcc *dtmgrpc.TccGrpc) { tcc.WaitResult, tcc.RetryInterval, tcc.TimeoutToFail = true, 1, x.timeout }
	out, in := x.bank.Address+transOut, x.bank.Address+transIn
	return dtmgrpc.TccGlobalTransaction2(x.grpc, x.gid, custom, func(tcc *dtmgrpc.TccGrpc) error {
		if err := tcc.CallBranch(adjust(cents, x.from), out, out, out, &v1.Response{}); err != nil {
			return err
		}
		if err := tcc.CallBranch(adjust(cents, x.to), in, in, in, &v1.Response{}); err != nil {
			return err
		}
		return x.beforeEnd()
	})
}

func xaHTTP(x *transfer) error {
	custom := func(xa *dtmcli.Xa) { xa.WaitResult, xa.RetryInterval, xa.TimeoutToFail = true, 1, x.timeout }
	return dtmcli.XaGlobalTransaction2(x.http, x.gid, custom, func(xa *dtmcli.Xa) (*resty.Response, error) {
		if response, err := callXa(xa, x.out(), x.bank.URL+"/out"); err != nil {
			return response, err
		}
		if response, err := callXa(xa, x.in(), x.bank.URL+"/in"); err != nil {
			return response, err
		}
		return nil, x.beforeEnd()
	})
}

func callXa(xa *dtmcli.Xa, entry harness.Entry, url string) (*resty.Response, error) {
	response, err := xa.CallBranch(entry, url)
	if err == nil {
		err = dtmcli.HTTPResp2DtmError(response)
	}
	return response, err
}

// The client sends no options for an XA over gRPC: troth's defaults hold.
func xaGRPC(x *transfer) error {
	return dtmgrpc.XaGlobalTransaction(x.grpc, x.gid, func(xa *dtmgrpc.XaGrpc) error {
		if err := xa.CallBranch(adjust(cents, x.from), x.bank.Address+transOut, &v1.Response{}); err != nil {
			return err
		}
		if err := xa.CallBranch(adjust(cents, x.to), x.bank.Address+transIn, &v1.Response{}); err != nil {
			return err
		}
		return x.beforeEnd()
	})
}
