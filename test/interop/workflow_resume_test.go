package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"troth/test/interop/harness"
)

// What a client finds that resumes a workflow after a crash of troth, over HTTP: its recorded steps; that
// registering them again is accepted, other results are not; and in the end the result.
func TestWorkflowIsResumedAfterACrash(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{})
	gid := newGid(t)
	expectPost := func(operation, body string, code int, answer string) {
		t.Helper()
		gotCode, got, err := server.Post(operation, body)
		must(t, err)
		expectEqual(t, operation, fmt.Sprint(gotCode, " ", got), fmt.Sprint(code, " ", answer))
	}
	step := func(result string) string {
		return fmt.Sprintf(`{"gid":%q,"trans_type":"workflow","branch_id":"01","op":"action","status":"succeed","data":%q}`,
			gid, result)
	}
	const success = `{"dtm_result":"SUCCESS"}`
	prepareWorkflow(t, server, gid)
	expectPost("registerBranch", step("moved"), 200, success)
	server.Kill()
	server.Start()

	resumed := prepareWorkflow(t, server, gid)
	expectEqual(t, "progress", fmt.Sprint(resumed.Progresses), "[{01 action succeed moved}]")
	expectPost("registerBranch", step("moved"), 200, success)
	expectPost("registerBranch", step("lost"), 500, `{"message":"storage: UniqueKeyConflict"}`)
	expectPost("submit", `{"gid":"`+gid+`","trans_type":"workflow","req_extra":{"status":"succeed","result":"cmVz"}}`, 200, success)
	server.Kill()
	server.Start()

	expectEqual(t, "stored result", prepareWorkflow(t, server, gid).Transaction.Result, "cmVz")
	expectEqual(t, "result of a query", server.Query(t, gid).Result, "cmVz")
	expectEqual(t, "result over gRPC", prepareWorkflowGRPC(t, server, gid).Transaction.Result, "cmVz")
	expectPost("registerBranch", step("moved"), 200, success)
	expectPost("registerBranch", step("lost"), 500,
		`{"message":"the workflow with gid: `+gid+` has succeeded already, without this step"}`)
}

type workflowProgress struct {
	Transaction struct {
		Status string `json:"status"`
		Result string `json:"result"`
	} `json:"transaction"`
	Progresses []recordedStep `json:"progresses"`
}

type recordedStep struct {
	BranchID string `json:"branch_id"`
	Op       string `json:"op"`
	Status   string `json:"status"`
	BinData  []byte `json:"bin_data"`
}

func (s recordedStep) String() string {
	return fmt.Sprintf("{%s %s %s %s}", s.BranchID, s.Op, s.Status, s.BinData)
}

func prepareWorkflow(t *testing.T, server *harness.Troth, gid string) workflowProgress {
	t.Helper()
	code, body, err := server.Post("prepareWorkflow", `{"gid":"`+gid+`","trans_type":"workflow","protocol":"http",`+
		`"query_prepared":"`+shared.http+`/callback","custom_data":"{\"name\":\"transfer\",\"data\":\"MzA=\"}"}`)
	must(t, err)
	expectEqual(t, "prepareWorkflow", code, 200)
	var progress workflowProgress
	must(t, json.Unmarshal([]byte(body), &progress))
	return progress
}

func prepareWorkflowGRPC(t *testing.T, server *harness.Troth, gid string) *dtmgpb.DtmProgressesReply {
	t.Helper()
	connection, err := grpc.Dial(server.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	defer connection.Close()
	reply, err := dtmgpb.NewDtmClient(connection).PrepareWorkflow(context.Background(),
		&dtmgpb.DtmRequest{Gid: gid, TransType: "workflow"})
	must(t, err)
	return reply
}
