package interop

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v1 "troth/examples/kratos/api/trans/v1"
	"troth/test/interop/harness"
)

// The two ways to run a transfer as a workflow. The client holds the protocol in a global: a test sets it
// with useWorkflowHTTP or useWorkflowGRPC and does not run beside one that needs the other.
var (
	workflowHTTP = mode{"workflow over HTTP", runWorkflow("transfer over HTTP"), toAccount, "02", "action", "succeed"}
	workflowGRPC = mode{"workflow over gRPC", runWorkflow("transfer over gRPC"), toAccount, "02", "action", "succeed"}
)

// transfers in progress, by gid: what the workflow's function needs and cannot get as data.
var transfers sync.Map

func runWorkflow(name string) func(x *transfer) error {
	return func(x *transfer) error {
		transfers.Store(x.gid, x)
		data, err := json.Marshal(x.gid)
		if err != nil {
			return err
		}
		return workflow.Execute(name, x.gid, data)
	}
}

func findTransfer(data []byte) (*transfer, error) {
	var gid string
	if err := json.Unmarshal(data, &gid); err != nil {
		return nil, err
	}
	found, _ := transfers.Load(gid)
	return found.(*transfer), nil
}

var registerWorkflows sync.Once

func registerTransferWorkflows(t *testing.T) {
	t.Helper()
	registerWorkflows.Do(func() {
		must(t, workflow.Register("transfer over HTTP", transferOverHTTP, soonAgain))
		must(t, workflow.Register("transfer over gRPC", transferOverGRPC, soonAgain))
	})
}

func transferOverHTTP(wf *workflow.Workflow, data []byte) error {
	x, err := findTransfer(data)
	if err != nil {
		return err
	}
	undo := func(path string, entry harness.Entry) workflow.WfPhase2Func {
		return func(*dtmcli.BranchBarrier) error {
			_, err := wf.NewRequest().SetBody(entry).Post(x.bank.URL + path)
			return err
		}
	}
	out := wf.NewBranch().OnRollback(undo("/out", x.out())).NewRequest()
	if _, err := out.SetBody(x.out()).Post(x.bank.URL + "/out"); err != nil {
		return err
	}
	if err := x.beforeEnd(); err != nil {
		return err
	}
	in := wf.NewBranch().OnRollback(undo("/in", x.in())).NewRequest()
	_, err = in.SetBody(x.in()).Post(x.bank.URL + "/in")
	return err
}

func transferOverGRPC(wf *workflow.Workflow, data []byte) error {
	x, err := findTransfer(data)
	if err != nil {
		return err
	}
	client, err := x.workflowClient()
	if err != nil {
		return err
	}
	type method func(context.Context, *v1.AdjustInfo, ...grpc.CallOption) (*v1.Response, error)
	undo := func(method method, account int64) workflow.WfPhase2Func {
		return func(*dtmcli.BranchBarrier) error {
			_, err := method(wf.Context, adjust(cents, account))
			return err
		}
	}
	out := wf.NewBranch().OnRollback(undo(client.TransOut, x.from))
	if _, err := client.TransOut(out.Context, adjust(cents, x.from)); err != nil {
		return err
	}
	if err := x.beforeEnd(); err != nil {
		return err
	}
	in := wf.NewBranch().OnRollback(undo(client.TransIn, x.to))
	_, err = client.TransIn(in.Context, adjust(cents, x.to))
	return err
}

// workflowClient is a client whose calls are recorded as steps. It stays open until the test ends: what
// rolls a workflow back is called after its function has returned.
func (x *transfer) workflowClient() (v1.TransClient, error) {
	connection, err := grpc.Dial(x.bank.Address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(workflow.Interceptor))
	if err != nil {
		return nil, err
	}
	x.cleanup(func() { _ = connection.Close() })
	return v1.NewTransClient(connection), nil
}

// useWorkflowHTTP makes HTTP the protocol of workflows and listens for callbacks of troth.
func useWorkflowHTTP(t *testing.T, server *harness.Troth) {
	t.Helper()
	registerTransferWorkflows(t)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = workflow.ExecuteByQS(r.URL.Query(), data)
		}
		code, answer := dtmcli.Result2HttpJSON(err)
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(func() {
		callback.CloseClientConnections()
		callback.Close()
	})
	workflow.InitHTTP(server.HTTP, callback.URL)
}

// useWorkflowGRPC is useWorkflowHTTP for gRPC.
func useWorkflowGRPC(t *testing.T, server *harness.Troth) {
	t.Helper()
	registerTransferWorkflows(t)
	initWorkflowGRPC(t, server)
}
