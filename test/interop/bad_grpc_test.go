package interop

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"troth/test/interop/harness"
)

// bytesCodec sends and receives bytes as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string                          { return "proto" }
func (bytesCodec) Marshal(v interface{}) ([]byte, error) { return v.([]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.DialContext(context.Background(), shared.troth.GRPC,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	t.Cleanup(cancel)
	return ctx
}

func TestBadBytesOverGRPC(t *testing.T) {
	t.Parallel()
	connection := dial(t)
	for name, message := range map[string]string{
		"garbage":              "\xff\xff\xff\xff",
		"half a field":         "\x0a\x10abc",
		"a gid not in UTF-8":   "\x0a\x02\xc3\x28\x12\x03msg",
		"a group without end":  "\x0b",
		"field number zero":    "\x02\x01a",
		"a length beyond all":  "\x0a\xff\xff\xff\xff\x0f",
		"a wrong wire type":    "\x08\x05",
		"options cut in short": "\x0a\x01g\x1a\x05\x08",
	} {
		for _, method := range []string{"Submit", "Prepare", "Abort", "RegisterBranch", "PrepareWorkflow"} {
			var reply []byte
			err := connection.Invoke(deadline(t), "/dtmgimp.Dtm/"+method, []byte(message), &reply, grpc.ForceCodec(bytesCodec{}))
			if code := status.Code(err); code != codes.Internal && code != codes.Aborted && code != codes.Unknown {
				t.Errorf("%s of %s: %v", method, name, err)
			}
			if name != "a wrong wire type" && method != "RegisterBranch" { // an unknown field is allowed
				expectCode(t, err, codes.Internal, "")
			}
		}
	}
	must(t, newMsg(shared.troth.GRPC, trans, newGid(t)).Submit())
}

func TestUnknownMethodsOverGRPC(t *testing.T) {
	t.Parallel()
	connection := dial(t)
	for _, method := range []string{"/dtmgimp.Dtm/Nothing", "/nobody.Service/Submit", "/dtmgimp.Dtm/submit"} {
		err := connection.Invoke(deadline(t), method, &emptypb.Empty{}, &emptypb.Empty{})
		expectCode(t, err, codes.Unimplemented, "")
	}
}

func TestBadRequestsOverGRPC(t *testing.T) {
	t.Parallel()
	const step = `[{"action":"127.0.0.1:1/a.B/C"}]`
	payload := [][]byte{{1}}
	client := dtmgpb.NewDtmClient(dial(t))
	for name, c := range map[string]struct {
		request *dtmgpb.DtmRequest
		text    string
	}{
		"no gid":          {&dtmgpb.DtmRequest{TransType: "msg"}, "gid"},
		"a long gid":      {&dtmgpb.DtmRequest{Gid: strings.Repeat("g", 129), TransType: "msg"}, "129"},
		"a control byte":  {&dtmgpb.DtmRequest{Gid: "a\nb", TransType: "msg"}, "gid"},
		"no type":         {&dtmgpb.DtmRequest{Gid: "bad-1"}, "trans_type"},
		"unknown type":    {&dtmgpb.DtmRequest{Gid: "bad-2", TransType: "Msg"}, "trans_type"},
		"bad steps":       {&dtmgpb.DtmRequest{Gid: "bad-3", TransType: "msg", Steps: "{"}, ""},
		"steps as text":   {&dtmgpb.DtmRequest{Gid: "bad-4", TransType: "msg", Steps: `"a"`}, ""},
		"few payloads":    {&dtmgpb.DtmRequest{Gid: "bad-5", TransType: "msg", Steps: step}, "payload"},
		"bad custom data": {&dtmgpb.DtmRequest{Gid: "bad-6", TransType: "msg", Steps: step, BinPayloads: payload, CustomedData: "{"}, "custom_data"},
		"unknown topic":   {&dtmgpb.DtmRequest{Gid: "bad-7", TransType: "msg", Steps: `[{"action":"topic://x"}]`, BinPayloads: payload}, "topic not found"},
		"negative interval": {&dtmgpb.DtmRequest{
			Gid: "bad-8", TransType: "msg", Steps: step, BinPayloads: payload,
			TransOptions: &dtmgpb.DtmTransOptions{RetryInterval: -1},
		}, "retry_interval"},
	} {
		_, err := client.Submit(deadline(t), c.request)
		if status.Code(err) != codes.Internal || !strings.Contains(status.Convert(err).Message(), c.text) {
			t.Errorf("submit with %s: %v; want Internal with %q", name, err, c.text)
		}
		_, err = client.Prepare(deadline(t), c.request)
		expectCode(t, err, codes.Internal, c.text)
		if strings.HasPrefix(c.request.Gid, "bad-") {
			expectNothing(t, c.request.Gid)
		}
	}
}

func TestOperationsOnUnknownTransactionsOverGRPC(t *testing.T) {
	t.Parallel()
	client := dtmgpb.NewDtmClient(dial(t))
	_, err := client.Abort(deadline(t), &dtmgpb.DtmRequest{Gid: "nobody", TransType: "tcc"})
	expectCode(t, err, codes.Internal, "no TransGlobal with gid: nobody found")
	_, err = client.RegisterBranch(deadline(t), &dtmgpb.DtmBranchRequest{Gid: "nobody", TransType: "tcc", BranchID: "01"})
	expectCode(t, err, codes.Aborted, "no trans with gid: nobody status: prepared found FAILURE")
	_, err = client.RegisterBranch(deadline(t), &dtmgpb.DtmBranchRequest{Gid: "nobody", TransType: "x", BranchID: "01"})
	expectCode(t, err, codes.Unknown, "unknow trans type: x")
	_, err = client.Submit(deadline(t), &dtmgpb.DtmRequest{
		Gid: "nobody", TransType: "workflow", ReqExtra: map[string]string{"status": "succeed"},
	})
	expectCode(t, err, codes.Internal, "storage: NotFound")
}

func TestSizesOverGRPC(t *testing.T) {
	t.Parallel()
	client := dtmgpb.NewDtmClient(dial(t))
	submit := func(gid string, bytes int) error {
		_, err := client.Submit(deadline(t), &dtmgpb.DtmRequest{
			Gid: gid, TransType: "msg",
			Steps:       fmt.Sprintf(`[{"action":"%s%s"}]`, shared.first.Address, transIn),
			BinPayloads: [][]byte{make([]byte, bytes)},
		})
		return err
	}
	gid := newGid(t)
	must(t, submit(gid, 3<<20)) // zero bytes are no valid message for the service: it is called all the same
	harness.Eventually(t, "the large message is stored", func() (string, bool) {
		return "", shared.troth.Query(t, gid) != nil
	})
	gid = newGid(t)
	expectCode(t, submit(gid, 5<<20), codes.ResourceExhausted, "")
	expectNothing(t, gid)
	_, err := client.NewGid(deadline(t), &emptypb.Empty{})
	must(t, err)
}

func TestGidsFromTheServerAreDistinct(t *testing.T) {
	t.Parallel()
	client := dtmgpb.NewDtmClient(dial(t))
	seen := map[string]bool{}
	for i := 0; i < 1000; i++ {
		reply, err := client.NewGid(deadline(t), &emptypb.Empty{})
		must(t, err)
		if len(reply.Gid) < 13 || len(reply.Gid) > 22 || seen[reply.Gid] {
			t.Fatalf("gid %q, again: %v", reply.Gid, seen[reply.Gid])
		}
		seen[reply.Gid] = true
	}
}

// A deadline of the caller ends its waiting, not the transaction.
func TestACallersDeadlineDoesNotEndTheTransaction(t *testing.T) {
	t.Parallel()
	gid, release := newGid(t), make(chan struct{})
	shared.script.On(gid, "01", "action", harness.HoldUntil(release))
	msg := newMsg(shared.troth.GRPC, trans, gid)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	msg.Context = ctx
	expectCode(t, msg.Submit(), codes.DeadlineExceeded, "")
	close(release)
	shared.troth.Await(t, gid, "succeed")
}
