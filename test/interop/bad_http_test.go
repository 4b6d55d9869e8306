package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Bodies of submit and prepare that must be refused with 500 and a text that says why. GID stands for a fresh
// gid; nothing may be stored under it.
func badBodies() map[string]struct{ body, text string } {
	const msg = `"trans_type":"msg","steps":[{"action":"http://127.0.0.1:1/a"}],"payloads":["1"]`
	long := strings.Repeat("x", 129)
	return map[string]struct{ body, text string }{
		"nothing":                     {``, "unexpected end of JSON input"},
		"half an object":              {`{"gid":"GID",` + msg, ""},
		"more than an object":         {`{"gid":"GID",` + msg + `} {}`, ""},
		"an array":                    {`[]`, "cannot unmarshal array"},
		"a number as gid":             {`{"gid":5,"trans_type":"saga"}`, "cannot unmarshal number"},
		"text as steps":               {`{"gid":"GID","trans_type":"msg","steps":"a","payloads":["1"]}`, "steps"},
		"a list as a step":            {`{"gid":"GID","trans_type":"msg","steps":[["a"]],"payloads":["1"]}`, "steps"},
		"a number as action":          {`{"gid":"GID","trans_type":"msg","steps":[{"action":1}],"payloads":["1"]}`, "action"},
		"an object as payloads":       {`{"gid":"GID","trans_type":"msg","steps":[],"payloads":{}}`, "payloads"},
		"text as wait_result":         {`{"gid":"GID","wait_result":"yes",` + msg + `}`, "wait_result"},
		"a fraction as interval":      {`{"gid":"GID","retry_interval":1.5,` + msg + `}`, "retry_interval"},
		"an interval below zero":      {`{"gid":"GID","retry_interval":-1,` + msg + `}`, "retry_interval"},
		"a timeout below zero":        {`{"gid":"GID","timeout_to_fail":-5,` + msg + `}`, "timeout_to_fail"},
		"a timeout too long":          {`{"gid":"GID","request_timeout":9000000000000000000,` + msg + `}`, "request_timeout"},
		"a number beyond all":         {`{"gid":"GID","request_timeout":1e400,` + msg + `}`, ""},
		"no gid":                      {`{` + msg + `}`, "gid"},
		"an empty gid":                {`{"gid":"",` + msg + `}`, "gid"},
		"a gid of line breaks":        {`{"gid":"\r\n;",` + msg + `}`, "gid"},
		"a gid too long":              {`{"gid":"` + long + `",` + msg + `}`, "129"},
		"a gid with a control byte":   {`{"gid":"GID\u0001",` + msg + `}`, "gid"},
		"a gid that is not UTF-8":     {"{\"gid\":\"GID\xff\"," + msg + "}", ""},
		"no type":                     {`{"gid":"GID"}`, "trans_type"},
		"an unknown type":             {`{"gid":"GID","trans_type":"SAGA"}`, "trans_type"},
		"an unknown protocol":         {`{"gid":"GID","protocol":"ftp",` + msg + `}`, "protocol"},
		"fewer payloads than steps":   {`{"gid":"GID","trans_type":"saga","steps":[{"action":"http://h/a"},{"action":"http://h/b"}],"payloads":["1"]}`, "payload"},
		"an unknown topic":            {`{"gid":"GID","trans_type":"msg","steps":[{"action":"topic://nobody"}],"payloads":["1"]}`, "topic not found"},
		"custom_data that is no JSON": {`{"gid":"GID","custom_data":"{",` + msg + `}`, "custom_data"},
		"a delay below zero":          {`{"gid":"GID","custom_data":"{\"delay\":-1}",` + msg + `}`, "delay"},
		"an order out of range": {
			`{"gid":"GID","trans_type":"saga","custom_data":"{\"concurrent\":true,\"orders\":{\"0\":[7]}}","steps":[{"action":"http://h/a"}],"payloads":["1"]}`,
			"7",
		},
		"orders in a circle": {
			`{"gid":"GID","trans_type":"saga","custom_data":"{\"concurrent\":true,\"orders\":{\"0\":[1],\"1\":[0]}}",` +
				`"steps":[{"action":"http://h/a"},{"action":"http://h/b"}],"payloads":["1","2"]}`,
			"circle",
		},
		"a header with a line break": {`{"gid":"GID","branch_headers":{"x":"a\r\nb"},` + msg + `}`, "branch_headers"},
		"nested beyond reason":       {`{"gid":"GID","x":` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + `,` + msg + `}`, ""},
	}
}

func TestBadBodiesOverHTTP(t *testing.T) {
	for name, c := range badBodies() {
		c := c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, operation := range []string{"submit", "prepare"} {
				gid := newGid(t)
				code, answer, err := shared.troth.Post(operation, strings.ReplaceAll(c.body, "GID", gid))
				must(t, err)
				if code != 500 || !strings.HasPrefix(answer, `{"message":"`) || !strings.Contains(answer, c.text) {
					t.Fatalf("%s: %d %.300s; want 500 and a message with %q", operation, code, answer, c.text)
				}
				if stored := shared.troth.Query(t, gid); stored != nil {
					t.Fatalf("%s stored %+v", operation, stored)
				}
			}
		})
	}
}

func TestSizesOverHTTP(t *testing.T) {
	t.Parallel()
	body := func(gid string, bytes int) string {
		return fmt.Sprintf(`{"gid":"%s","trans_type":"msg","wait_result":true,"steps":[{"action":"%s/a"}],"payloads":["%s"]}`,
			gid, shared.http, strings.Repeat("p", bytes))
	}
	t.Run("a gid of 128 bytes", func(t *testing.T) {
		gid := strings.Repeat("g", 128)
		code, answer, err := shared.troth.Post("submit", body(gid, 1))
		must(t, err)
		expectEqual(t, answer, code, 200)
		shared.troth.Await(t, gid, "succeed")
	})
	t.Run("a payload of 3 MiB", func(t *testing.T) {
		gid := newGid(t)
		code, answer, err := shared.troth.Post("submit", body(gid, 3<<20))
		must(t, err)
		expectEqual(t, answer, code, 200)
		expectEqual(t, "bytes", len(shared.script.Calls(gid)[0].Payload), 3<<20)
	})
	t.Run("a payload of 5 MiB", func(t *testing.T) {
		gid := newGid(t)
		code, answer, err := shared.troth.Post("submit", body(gid, 5<<20))
		if err == nil && code != 413 && code != 500 {
			t.Fatalf("%d %.300s", code, answer)
		}
		expectNothing(t, gid)
	})
	t.Run("a body of 64 MiB", func(t *testing.T) {
		gid := newGid(t)
		code, answer, err := shared.troth.Post("submit", body(gid, 64<<20))
		if err == nil && code != 413 { // the connection may be closed while we still write
			t.Fatalf("%d %.300s", code, answer)
		}
		expectNothing(t, gid)
	})
	t.Run("a path of 100 kB", func(t *testing.T) {
		code, answer, err := shared.troth.Get("/api/dtmsvr/query?gid=" + strings.Repeat("q", 100_000))
		if err == nil && code < 400 {
			t.Fatalf("%d %.300s", code, answer)
		}
	})
}

// expectNothing checks that nothing was stored and the server is well.
func expectNothing(t *testing.T, gid string) {
	t.Helper()
	if stored := shared.troth.Query(t, gid); stored != nil {
		t.Fatalf("stored: %+v", stored)
	}
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path string }{
		{"GET", "/api/dtmsvr/nothing"}, {"POST", "/nothing"}, {"GET", "/api/dtmsvr/submit"},
		{"PUT", "/api/dtmsvr/submit"}, {"POST", "/api/dtmsvr/newGid"}, {"DELETE", "/api/dtmsvr/query"},
		{"OPTIONS", "/api/dtmsvr/submit"}, {"GET", "/api/dtmsvr/../../etc/passwd"}, {"GET", "/%00"},
		{"GET", "/api/dtmsvr/Query?gid=x"}, {"PATCH", "/api/dtmsvr/prepare"},
	} {
		code, answer, err := shared.troth.Send(c.method, c.path, "")
		must(t, err)
		expectEqual(t, c.method+" "+c.path, fmt.Sprint(code, " ", answer), "404 404 page not found")
	}
	code, _, err := shared.troth.Send("HEAD", "/api/dtmsvr/newGid", "")
	must(t, err)
	expectEqual(t, "HEAD", code, 404)
}

func TestTrailingSlashes(t *testing.T) {
	t.Parallel()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for method, want := range map[string]int{"GET": 301, "POST": 307} {
		path := map[string]string{"GET": "/api/dtmsvr/newGid", "POST": "/api/dtmsvr/submit"}[method]
		base := strings.TrimSuffix(shared.troth.HTTP, "/api/dtmsvr")
		request, err := http.NewRequest(method, base+path+"/", nil)
		must(t, err)
		response, err := client.Do(request)
		must(t, err)
		defer response.Body.Close()
		expectEqual(t, method, response.StatusCode, want)
		location, err := response.Location()
		must(t, err)
		expectEqual(t, "Location", location.Path, path)
	}
}

func TestPingAnswersEveryMethod(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		code, answer, err := shared.troth.Send(method, "/api/ping", "")
		must(t, err)
		expectEqual(t, method, fmt.Sprint(code, answer), `200{"msg":"pong"}`)
	}
}

func TestOperationsOnUnknownTransactions(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"abort", "forceStop", "resetNextCronTime"} {
		gid := newGid(t)
		code, answer, err := shared.troth.Post(operation, `{"gid":"`+gid+`","trans_type":"saga"}`)
		must(t, err)
		expectEqual(t, operation, fmt.Sprint(code, answer), `500{"message":"no TransGlobal with gid: `+gid+` found"}`)
	}
	code, answer, err := shared.troth.Get("/api/dtmsvr/query?gid=nobody")
	must(t, err)
	expectEqual(t, "query", fmt.Sprint(code, answer), `200{"branches":[],"transaction":null}`)
	code, answer, err = shared.troth.Get("/api/dtmsvr/query")
	must(t, err)
	expectEqual(t, "query without a gid", fmt.Sprint(code, answer), `500{"message":"no gid specified"}`)
	code, answer, err = shared.troth.Get("/api/dtmsvr/all?limit=many")
	must(t, err)
	expectEqual(t, "all", fmt.Sprint(code, answer), `500{"message":"convert to int error: many"}`)
}

func TestBadRegisterBranch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		code int
		text string
	}{
		"nothing":       {``, 400, "EOF"},
		"a number":      {`{"gid":"x","trans_type":"tcc","branch_id":1}`, 400, "cannot unmarshal number"},
		"an array":      {`[]`, 400, "cannot unmarshal array"},
		"unknown gid":   {`{"gid":"nobody","trans_type":"tcc","branch_id":"01"}`, 409, "no trans with gid: nobody status: prepared found FAILURE"},
		"unknown type":  {`{"gid":"nobody","trans_type":"x","branch_id":"01"}`, 500, "unknow trans type: x"},
		"msg":           {`{"gid":"nobody","trans_type":"msg","branch_id":"01"}`, 500, "unknow trans type: msg"},
		"long branch":   {`{"gid":"x","trans_type":"tcc","branch_id":"` + strings.Repeat("1", 129) + `"}`, 500, "129"},
		"not UTF-8":     {"{\"gid\":\"\xc3\",\"trans_type\":\"tcc\",\"branch_id\":\"01\"}", 400, ""},
		"half a string": {`{"gid":"x`, 400, ""},
	} {
		code, answer, err := shared.troth.Post("registerBranch", c.body)
		must(t, err)
		if code != c.code || !strings.Contains(answer, c.text) {
			t.Errorf("%s: %d %s; want %d with %q", name, code, answer, c.code, c.text)
		}
	}
}

func TestDuplicateBranchIsRefused(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	_, _, err := shared.troth.Post("prepare", `{"gid":"`+gid+`","trans_type":"tcc"}`)
	must(t, err)
	body := `{"gid":"` + gid + `","trans_type":"tcc","branch_id":"01","data":"","confirm":"","cancel":""}`
	code, answer, err := shared.troth.Post("registerBranch", body)
	must(t, err)
	expectEqual(t, answer, code, 200)
	code, answer, err = shared.troth.Post("registerBranch", body)
	must(t, err)
	expectEqual(t, "again", fmt.Sprint(code, answer), `500{"message":"storage: UniqueKeyConflict"}`)
}

// What clients of other languages send and dtm puts up with.
func TestTolerance(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"keys in any case":  `{"GID":"%s","Trans_Type":"msg","STEPS":[{"action":"%s/a"}],"payloads":["1"],"wait_result":true}`,
		"nulls":             `{"gid":"%s","trans_type":"msg","custom_data":null,"query_prepared":null,"protocol":null,"branch_headers":null,"steps":[{"action":"%s/a"}],"payloads":["1"],"wait_result":true}`,
		"unknown keys":      `{"subType":1,"subType":2,"passthrough_headers":[],"gid":"%s","trans_type":"msg","steps":[{"action":"%s/a"}],"payloads":["1"],"wait_result":true}`,
		"an array as a map": `{"gid":"%s","branch_headers":[],"trans_type":"msg","steps":[{"action":"%s/a"}],"payloads":["1"],"wait_result":true}`,
		"data in steps":     `{"gid":"%s","trans_type":"msg","steps":[{"action":"%s/a","data":"1"}],"wait_result":true}`,
		"too many payloads": `{"gid":"%s","trans_type":"msg","steps":[{"action":"%s/a"}],"payloads":["1","2","3"],"wait_result":true}`,
		"the last gid wins": `{"gid":"other","gid":"%s","trans_type":"msg","steps":[{"action":"%s/a"}],"payloads":["1"],"wait_result":true}`,
		"line breaks in it": `{"gid":"\n%s;\r","trans_type":"msg","steps":[{"action":"%s/a"}],"payloads":["1"],"wait_result":true}`,
	} {
		body := body
		t.Run(name, func(t *testing.T) {
			gid := newGid(t)
			code, answer, err := shared.troth.Post("submit", fmt.Sprintf(body, gid, shared.http))
			must(t, err)
			expectEqual(t, "answer", fmt.Sprint(code, answer), `200{"dtm_result":"SUCCESS"}`)
			expectCalls(t, gid, "01 action")
			expectEqual(t, "payload", shared.script.Calls(gid)[0].Payload, "1")
		})
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	must(t, newMsg(shared.troth.GRPC, trans, gid).Submit())
	code, answer, err := shared.troth.Get("/api/dtmsvr/all?gid=" + url.QueryEscape(gid))
	must(t, err)
	expectEqual(t, "code", code, 200)
	expectText(t, answer, `"next_position":""`, `"transactions":[{`, `"gid":"`+gid+`"`, `"status":"succeed"`)
	_, answer, err = shared.troth.Get("/api/dtmsvr/all?limit=1&status=succeed&transType=msg")
	must(t, err)
	expectEqual(t, "transactions on a page of one", strings.Count(answer, `"trans_type":"msg"`), 1)
	for position, more := "", true; more; more = position != "" { // Redis looks at some of all for each page
		_, answer, err = shared.troth.Get("/api/dtmsvr/all?createTimeEnd=1000&position=" + position)
		must(t, err)
		expectText(t, answer, `"transactions":[]`)
		var page struct {
			NextPosition string `json:"next_position"`
		}
		must(t, json.Unmarshal([]byte(answer), &page))
		position = page.NextPosition
	}
	for _, query := range []string{"transType=nothing", "status=nothing", "limit=x", "createTimeStart=x"} {
		code, answer, err = shared.troth.Get("/api/dtmsvr/all?" + query)
		must(t, err)
		expectEqual(t, query+": "+answer, code, 500)
	}
}
