package interop

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v1 "troth/examples/kratos/api/trans/v1"
	"troth/test/interop/harness"
)

const (
	transOut = "/api.trans.v1.Trans/TransOut"
	transIn  = "/api.trans.v1.Trans/TransIn"
)

func adjust(amount, user int64) *v1.AdjustInfo { return &v1.AdjustInfo{Amount: amount, UserID: user} }

func wire(t *testing.T, message proto.Message) string {
	t.Helper()
	bytes, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}

// newMsg moves 30 cents from user 1 to user 2, with short retries and waiting for the result.
func newMsg(server, service, gid string) *dtmgrpc.MsgGrpc {
	msg := dtmgrpc.NewMsgGrpc(server, gid).
		Add(service+transOut, adjust(30, 1)).
		Add(service+transIn, adjust(30, 2))
	msg.WaitResult = true
	msg.RetryInterval = 1
	return msg
}

// newSaga is newMsg with each method as the other's compensation.
func newSaga(server, service, gid string) *dtmgrpc.SagaGrpc {
	saga := dtmgrpc.NewSagaGrpc(server, gid).
		Add(service+transOut, service+transIn, adjust(30, 1)).
		Add(service+transIn, service+transOut, adjust(30, 2))
	saga.WaitResult = true
	saga.RetryInterval = 1
	return saga
}

// newHTTPSaga has n steps a1/c1, a2/c2 ... on the shared HTTP service.
func newHTTPSaga(gid string, steps int) *dtmcli.Saga {
	saga := dtmcli.NewSaga(shared.troth.HTTP, gid)
	for i := 1; i <= steps; i++ {
		saga.Add(fmt.Sprintf("%s/a%d", shared.http, i), fmt.Sprintf("%s/c%d", shared.http, i), map[string]int{"step": i})
	}
	saga.WaitResult = true
	saga.RetryInterval = 1
	return saga
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expectEqual(t *testing.T, what string, got, want interface{}) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: %v; want %v", what, got, want)
	}
}

// expectCalls compares the calls of a transaction in order with "01 action" and so on.
func expectCalls(t *testing.T, gid string, want ...string) {
	t.Helper()
	expectEqual(t, "calls of "+gid, shared.script.Names(gid), append([]string{}, want...))
}

// expectStates compares the stored rows with "01 action succeed" and so on.
func expectStates(t *testing.T, transaction *harness.Transaction, want ...string) {
	t.Helper()
	expectEqual(t, "branches of "+transaction.Gid, transaction.BranchStates(), want)
}

// expectCode checks a gRPC error: its code, and that its message holds the text.
func expectCode(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	got := status.Convert(err)
	if got.Code() != code || !strings.Contains(got.Message(), text) {
		t.Fatalf("error: %v %q; want %v with %q", got.Code(), got.Message(), code, text)
	}
}

// expectError checks the text of an error.
func expectError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("error: %v; want one with %q", err, text)
	}
}
