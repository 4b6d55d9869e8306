package interop

import (
	"fmt"
	"testing"

	"troth/test/interop/harness"
)

// XA as troth sees it: a service has registered where its second phase is to be called. What the
// service does to its database there is the client's business.
func TestXaSecondPhase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end, status, op string
	}{
		"commit":   {"submit", "succeed", "commit"},
		"rollback": {"abort", "failed", "rollback"},
	} {
		c := c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			post := func(operation, body string) {
				t.Helper()
				code, answer, err := shared.troth.Post(operation, body)
				must(t, err)
				expectEqual(t, operation, fmt.Sprint(code, answer), `200{"dtm_result":"SUCCESS"}`)
			}
			post("prepare", `{"gid":"`+gid+`","trans_type":"xa","retry_interval":1}`)
			for _, id := range []string{"01", "02"} {
				post("registerBranch", `{"gid":"`+gid+`","trans_type":"xa","branch_id":"`+id+`","url":"`+shared.http+`/xa"}`)
			}
			shared.script.On(gid, "01", c.op, harness.Break("once"), harness.Succeed)
			post(c.end, `{"gid":"`+gid+`","trans_type":"xa","retry_interval":1}`)
			shared.troth.Await(t, gid, c.status)
			expectCalls(t, gid, "01 "+c.op, "01 "+c.op, "02 "+c.op)
			for _, call := range shared.script.Calls(gid) {
				expectEqual(t, "call", call.Method+call.Payload, "POST /xa")
			}
		})
	}
}
