package interop

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Behaviour of dtm that clients rely on, or that was wrong and no longer is: the rows of
// docs/compatibility.md that no other test shows.

const posted = `200{"dtm_result":"SUCCESS"}`

func expectPosted(t *testing.T, operation, body string) {
	t.Helper()
	code, answer, err := shared.troth.Post(operation, body)
	must(t, err)
	expectEqual(t, operation, fmt.Sprint(code, answer), posted)
}

func TestTopicsOverHTTP(t *testing.T) {
	t.Parallel()
	gid, topic := newGid(t), "topic of "+t.Name()
	get := func(operation, remark, path string) {
		t.Helper()
		query := url.Values{"topic": {topic}, "url": {shared.http + path}, "remark": {remark}}
		code, answer, err := shared.troth.Get("/api/dtmsvr/" + operation + "?" + query.Encode())
		must(t, err)
		expectEqual(t, operation, fmt.Sprint(code, answer), posted)
	}
	submit := func(gid string) (int, string) {
		t.Helper()
		code, answer, err := shared.troth.Post("submit", `{"gid":"`+gid+`","trans_type":"msg","wait_result":true,`+
			`"steps":[{"action":"`+shared.http+`/first"},{"action":"topic://`+topic+`"}],"payloads":["1","2"]}`)
		must(t, err)
		return code, answer
	}
	get("subscribe", "one", "/one")
	get("subscribe", "two", "/two")
	code, answer := submit(gid)
	expectEqual(t, "submit", fmt.Sprint(code, answer), posted)
	expectCalls(t, gid, "01 action", "02-01 action", "02-02 action")

	get("unsubscribe", "", "/one")
	gid = newGid(t)
	_, _ = submit(gid)
	expectCalls(t, gid, "01 action", "02 action") // one subscriber: no number of its own

	code, answer, err := shared.troth.Send(http.MethodDelete, "/api/dtmsvr/topic/"+url.PathEscape(topic), "")
	must(t, err)
	expectEqual(t, "delete", fmt.Sprint(code, answer), posted)
	gid = newGid(t)
	code, answer = submit(gid)
	expectEqual(t, "code of a deleted topic", code, http.StatusInternalServerError)
	expectText(t, answer, "topic not found")
	if shared.troth.Query(t, gid) != nil {
		t.Fatal("a message to a topic without subscribers was stored")
	}
}

// A message whose sender is silent and that names nobody to ask is sent.
func TestPreparedMsgWithoutACheckBack(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	expectPosted(t, "prepare", `{"gid":"`+gid+`","trans_type":"msg","timeout_to_fail":1,`+
		`"steps":[{"action":"`+shared.http+`/a"}],"payloads":["1"]}`)
	shared.troth.Await(t, gid, "succeed")
	expectCalls(t, gid, "01 action")
}

func TestOldNamesOfRegisterBranch(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	expectPosted(t, "prepare", `{"gid":"`+gid+`","trans_type":"tcc"}`)
	branch := `{"gid":"` + gid + `","trans_type":"tcc","branch_id":"%s","try":"","status":"prepared","data":"1",` +
		`"confirm":"` + shared.http + `/confirm","cancel":"` + shared.http + `/cancel"}`
	expectPosted(t, "registerTccBranch", fmt.Sprintf(branch, "01"))
	expectPosted(t, "registerXaBranch", fmt.Sprintf(branch, "02"))
	expectStates(t, shared.troth.Query(t, gid),
		"01 cancel prepared", "01 confirm prepared", "02 cancel prepared", "02 confirm prepared")
}

func TestWhatAClientMayNotSet(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	expectPosted(t, "submit", `{"gid":"`+gid+`","trans_type":"msg","wait_result":true,"id":7,"owner":"forged",`+
		`"status":"failed","result":"forged","rollback_reason":"forged","ext_data":"forged","context":{},`+
		`"create_time":"2001-01-01T00:00:00Z","steps":[{"action":"`+shared.http+`/a"}],"payloads":["1"]}`)
	_, answer, err := shared.troth.Get("/api/dtmsvr/query?gid=" + gid)
	must(t, err)
	expectText(t, answer, `"status":"succeed"`)
	if strings.Contains(answer, "forged") || strings.Contains(answer, "2001-") || strings.Contains(answer, `"id":7`) {
		t.Fatalf("forged: %s", answer)
	}
}

// The record keeps what prepareWorkflow said when the end is submitted, and all rows have times.
func TestNothingIsLostBySubmit(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	prepareWorkflow(t, shared.troth, gid)
	expectPosted(t, "registerBranch",
		`{"gid":"`+gid+`","trans_type":"workflow","branch_id":"01","op":"action","status":"succeed","data":""}`)
	before := shared.troth.Query(t, gid)
	expectPosted(t, "submit", `{"gid":"`+gid+`","trans_type":"workflow","req_extra":{"status":"succeed"}}`)
	after := shared.troth.Query(t, gid)
	expectEqual(t, "create_time", after.CreateTime, before.CreateTime)
	expectEqual(t, "query_prepared", after.QueryPrepared, shared.http+"/callback")
	_, answer, err := shared.troth.Get("/api/dtmsvr/query?gid=" + gid)
	must(t, err)
	expectText(t, answer, `"name\":\"transfer`)
	if strings.Contains(answer, `_time":null`) {
		t.Fatalf("a row without times: %s", answer)
	}
}

func TestBindErrorsAreJSON(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/dtmsvr/registerBranch", "/api/json-rpc"} {
		address := fmt.Sprintf("http://127.0.0.1:%d%s", shared.troth.HTTPPort, path)
		response, err := http.Post(address, "application/json", strings.NewReader(`{"gid":`))
		must(t, err)
		must(t, response.Body.Close())
		expectEqual(t, path, response.StatusCode, http.StatusBadRequest)
		expectText(t, response.Header.Get("Content-Type"), "application/json")
	}
}
