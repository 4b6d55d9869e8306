package interop

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// A MySQL database as a dtm server left it: its own tables, transactions of every mode stopped half-way.
// What a server of ours must make of them is protocol/stores.md 11.1.

// dtm's own tables (sqls/dtmsvr.storage.mysql.sql says the same in more words).
const dtmTables = `
create table trans_global (
  id bigint(22) not null auto_increment, gid varchar(128) not null, trans_type varchar(45) not null,
  status varchar(12) not null, query_prepared varchar(1024) not null, protocol varchar(45) not null,
  create_time datetime default null, update_time datetime default null, finish_time datetime default null,
  rollback_time datetime default null, options varchar(1024) default '', custom_data varchar(1024) default '',
  next_cron_interval int(11) default null, next_cron_time datetime default null,
  owner varchar(128) not null default '', ext_data text, result varchar(1024) default '',
  rollback_reason varchar(1024) default '',
  primary key (id), unique key gid (gid), key owner (owner), key status_next_cron_time (status, next_cron_time)
) engine=innodb default charset=utf8mb4;
create table trans_branch_op (
  id bigint(22) not null auto_increment, gid varchar(128) not null, url varchar(1024) not null, data text,
  bin_data blob, branch_id varchar(128) not null, op varchar(45) not null, status varchar(45) not null,
  finish_time datetime default null, rollback_time datetime default null, create_time datetime default null,
  update_time datetime default null,
  primary key (id), unique key gid_uniq (gid, branch_id, op)
) engine=innodb default charset=utf8mb4;
create table kv (
  id bigint(22) not null auto_increment, cat varchar(45) not null, k varchar(128) not null, v text,
  version bigint(22) default 1, create_time datetime default null, update_time datetime default null,
  primary key (id), unique key uniq_k (cat, k)
) engine=innodb default charset=utf8mb4`

// leftBranch is a row of trans_branch_op: "01 action succeed /Out".
type leftBranch string

// left is a transaction as dtm left it, due now.
type left struct {
	kind, status     string
	query            string // path of query_prepared
	options, custom  string
	owner            string
	age              time.Duration // since its creation; 1 s when not given
	branches         []leftBranch
	replies          map[string]harness.Reply // by "01 action"; what is not named succeeds
	wantStatus       string
	wantCalls        string // "01 action, 02 action"
	wantBranchStates string
}

// A payload as in dtm's dumps.
const leftPayload = `{"amount":30}`

var leftBehind = map[string]left{
	"msg-mid": {
		kind: "msg", status: "submitted", options: `{"wait_result":true,"retry_interval":600,"concurrent":false}`,
		branches:   []leftBranch{"01 action succeed /Out", "02 action prepared /In"},
		wantStatus: "succeed", wantCalls: "02 action",
	},
	"msg-prepared-timed-out-yes": {
		kind: "msg", status: "prepared", query: "/qp", options: `{"timeout_to_fail":10,"concurrent":false}`, age: time.Minute,
		branches:   []leftBranch{"01 action prepared /In"},
		wantStatus: "succeed", wantCalls: "00 msg, 01 action",
	},
	"msg-prepared-timed-out-no": {
		kind: "msg", status: "prepared", query: "/qp", options: `{"timeout_to_fail":10,"concurrent":false}`, age: time.Minute,
		branches: []leftBranch{"01 action prepared /In"},
		replies:  map[string]harness.Reply{"00 msg": harness.Refuse("never happened")}, wantStatus: "failed", wantCalls: "00 msg",
	},
	"saga-mid": {
		kind: "saga", status: "submitted", options: `{"wait_result":true,"retry_interval":600,"concurrent":false}`,
		owner:      "QpaCf6ihP9CYmpaPcXcodT",
		branches:   []leftBranch{"01 compensate prepared /OutRevert", "01 action succeed /Out", "02 compensate prepared /InRevert", "02 action prepared /In"},
		wantStatus: "succeed", wantCalls: "02 action",
	},
	"saga-mid-refused": {
		kind: "saga", status: "submitted", options: `{"concurrent":false}`,
		branches:   []leftBranch{"01 compensate prepared /OutRevert", "01 action succeed /Out", "02 compensate prepared /InRevert", "02 action prepared /In"},
		replies:    map[string]harness.Reply{"02 action": harness.Refuse("no")},
		wantStatus: "failed", wantCalls: "02 action, 02 compensate, 01 compensate",
		wantBranchStates: "01 compensate succeed, 01 action succeed, 02 compensate succeed, 02 action failed",
	},
	"saga-abort": {
		kind: "saga", status: "aborting", options: `{"wait_result":true,"retry_interval":600,"concurrent":true}`,
		custom:     `{"concurrent":true,"orders":{"1":[0]}}`,
		branches:   []leftBranch{"01 compensate prepared /OutRevert", "01 action succeed /Out", "02 compensate succeed /InRevert", "02 action failed /In"},
		wantStatus: "failed", wantCalls: "01 compensate",
	},
	"tcc-prepared-timed-out": {
		kind: "tcc", status: "prepared", options: `{"timeout_to_fail":10,"concurrent":false}`, age: time.Minute,
		branches:   []leftBranch{"01 cancel prepared /X", "01 confirm prepared /C", "02 cancel prepared /X", "02 confirm prepared /C"},
		wantStatus: "failed", wantCalls: "02 cancel, 01 cancel",
	},
	"tcc-submitted": {
		kind: "tcc", status: "submitted", options: `{"concurrent":false}`,
		branches:   []leftBranch{"01 cancel prepared /X", "01 confirm prepared /C", "02 cancel prepared /X", "02 confirm succeed /C"},
		wantStatus: "succeed", wantCalls: "01 confirm",
	},
	"xa-aborting": {
		kind: "xa", status: "aborting", options: `{"concurrent":false}`,
		branches:   []leftBranch{"01 rollback prepared /XA", "01 commit prepared /XA"},
		wantStatus: "failed", wantCalls: "01 rollback",
	},
	"workflow-mid": { // ended by its client, see endWorkflow
		kind: "workflow", status: "prepared", query: "/wf", options: `{"retry_interval":600,"timeout_to_fail":3600,"concurrent":false}`,
		custom:     `{"data":"` + base64.StdEncoding.EncodeToString([]byte(leftPayload)) + `","name":"wf1"}`,
		branches:   []leftBranch{"01 action succeed "},
		wantStatus: "succeed", wantCalls: "00 wf1", wantBranchStates: "01 action succeed",
	},
	"older-row": {
		kind: "msg", status: "submitted", options: `{"passthrough_headers":["x"]}`,
		branches:   []leftBranch{"01 action prepared /In", "02 action prepared "},
		wantStatus: "succeed", wantCalls: "01 action",
	},
	"done": {
		kind: "msg", status: "succeed", options: `{"concurrent":false}`,
		branches:   []leftBranch{"01 action succeed /In"},
		wantStatus: "succeed", wantCalls: "",
	},
}

func TestMysqlTakesOverWhatDtmLeft(t *testing.T) {
	t.Parallel()
	db, conf := dtmDatabase(t, "takeover")
	script := harness.NewScript()
	service := harness.StartHTTP(t, script)
	for name, one := range leftBehind {
		one.script(script, name)
		one.insert(t, db, name, service)
	}
	expectTakenOver(t, harness.StartTroth(t, harness.TrothOptions{Conf: conf}), script)
}

// script tells the service what to answer.
func (l left) script(script *harness.Script, gid string) {
	for call, reply := range l.replies {
		branch, op, _ := strings.Cut(call, " ")
		script.On(gid, branch, op, reply)
	}
}

// expectTakenOver waits until everything that was left behind has ended as it must.
func expectTakenOver(t *testing.T, server *harness.Troth, script *harness.Script) {
	t.Helper()
	for name, one := range leftBehind {
		name, one := name, one
		t.Run(name, func(t *testing.T) {
			if one.kind == "workflow" {
				endWorkflow(t, server, script, name)
			}
			transaction := server.Await(t, name, one.wantStatus)
			expectEqual(t, "calls", strings.Join(script.Names(name), ", "), one.wantCalls)
			if one.wantBranchStates != "" {
				expectEqual(t, "branches", strings.Join(transaction.BranchStates(), ", "), one.wantBranchStates)
			}
			for _, call := range script.Calls(name) {
				if call.Op != "msg" && one.kind != "xa" {
					expectEqual(t, "payload", call.Payload, leftPayload)
				}
			}
		})
	}
}

// endWorkflow does what the client of a workflow does when it is called back: it finds the steps that are
// done already, and says how the workflow ends.
func endWorkflow(t *testing.T, server *harness.Troth, script *harness.Script, gid string) {
	t.Helper()
	script.AwaitCall(t, gid, "00", "wf1", 1)
	expectEqual(t, "progress", fmt.Sprint(prepareWorkflow(t, server, gid).Progresses), "[{01 action succeed "+leftPayload+"}]")
	code, answer, err := server.Post("submit", `{"gid":"`+gid+`","trans_type":"workflow","req_extra":{"status":"succeed"}}`)
	must(t, err)
	expectEqual(t, answer, code, 200)
}

// The other way round: what a server of ours leaves is a row that dtm can go on with.
func TestMysqlRowsAreThoseOfDtm(t *testing.T) {
	t.Parallel()
	db, conf := dtmDatabase(t, "giveback")
	script := harness.NewScript()
	service := harness.StartHTTP(t, script)
	gid := newGid(t)
	script.On(gid, "02", "action", harness.Break("no answer"))
	server := harness.StartTroth(t, harness.TrothOptions{Conf: conf})
	code, answer, err := server.Post("submit", fmt.Sprintf(`{"gid":"%s","trans_type":"saga","steps":[{"action":"%s/a","compensate":"%s/c"},`+
		`{"action":"%s/a","compensate":"%s/c"}],"payloads":["1","2"],"retry_interval":600}`, gid, service, service, service, service))
	must(t, err)
	expectEqual(t, answer, code, 200)
	harness.Eventually(t, "both actions were called and the first is kept", func() (string, bool) {
		states := strings.Join(server.Query(t, gid).BranchStates(), ", ")
		return states, len(script.Calls(gid)) >= 2 && strings.Contains(states, "01 action succeed")
	})
	server.Kill()
	rows := queryText(t, db, "select branch_id, op, status, bin_data from trans_branch_op where gid = ? order by id", gid)
	expectEqual(t, "branches", rows, "01 compensate prepared 1, 01 action succeed 1, 02 compensate prepared 2, 02 action prepared 2")
	global := queryText(t, db, "select trans_type, status, protocol, options, custom_data, ext_data, result from trans_global where gid = ?", gid)
	expectEqual(t, "transaction", global, `saga submitted http {"retry_interval":600,"concurrent":false}   `)
	ready := queryText(t, db, "select next_cron_interval >= 600, create_time is not null, next_cron_time is not null from trans_global where gid = ?", gid)
	expectEqual(t, "times", ready, "1 1 1")
}

// dtmDatabase makes an empty database with dtm's tables, and the conf.yml of a server that uses it.
func dtmDatabase(t *testing.T, name string) (*sql.DB, string) {
	t.Helper()
	mariadb := shared.mariadb
	_, err := mariadb.DB.Exec("create database " + name + " default character set utf8mb4")
	must(t, err)
	source := fmt.Sprintf("root@tcp(%s:%d)/%s", mariadb.Conf.Host, mariadb.Conf.Port, name)
	db, err := sql.Open("mysql", source)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	for _, statement := range strings.Split(dtmTables, ";") {
		_, err := db.Exec(statement)
		must(t, err)
	}
	return db, fmt.Sprintf("Store:\n Driver: mysql\n Host: %s\n Port: %d\n User: root\n Db: %s",
		mariadb.Conf.Host, mariadb.Conf.Port, name)
}

func (l left) insert(t *testing.T, db *sql.DB, gid, service string) {
	t.Helper()
	age := l.age
	if age == 0 {
		age = time.Second
	}
	now := time.Now().Format("2006-01-02 15:04:05")
	created := time.Now().Add(-age).Format("2006-01-02 15:04:05")
	query := l.query
	if query != "" {
		query = service + query
	}
	_, err := db.Exec(`insert into trans_global (gid, trans_type, status, query_prepared, protocol, create_time, update_time,
		options, custom_data, next_cron_interval, next_cron_time, owner, ext_data) values (?, ?, ?, ?, 'http', ?, ?, ?, ?, 10, ?, ?, '')`,
		gid, l.kind, l.status, query, created, created, l.options, l.custom, now, l.owner)
	must(t, err)
	for _, branch := range l.branches {
		fields := strings.SplitN(string(branch), " ", 4)
		url, payload := fields[3], leftPayload
		if url != "" {
			url = service + url
		}
		if l.kind == "xa" {
			payload = ""
		}
		_, err := db.Exec(`insert into trans_branch_op (gid, url, bin_data, branch_id, op, status, create_time, update_time)
			values (?, ?, ?, ?, ?, ?, ?, ?)`, gid, url, []byte(payload), fields[0], fields[1], fields[2], created, created)
		must(t, err)
	}
}

// queryText runs a query: columns of a row joined by spaces, rows by ", ".
func queryText(t *testing.T, db *sql.DB, query string, args ...interface{}) string {
	t.Helper()
	rows, err := db.Query(query, args...)
	must(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(t, err)
	lines := []string{}
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		targets := make([]interface{}, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		must(t, rows.Scan(targets...))
		texts := []string{}
		for _, value := range values {
			texts = append(texts, value.String)
		}
		lines = append(lines, strings.Join(texts, " "))
	}
	return strings.Join(lines, ", ")
}
