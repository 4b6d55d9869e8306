package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// dtm's own tables in PostgreSQL (sqls/dtmsvr.storage.postgres.sql says the same in more words).
const dtmPostgresTables = `
create sequence if not exists trans_global_seq;
create table trans_global (
  id bigint not null default nextval('trans_global_seq'), gid varchar(128) not null,
  trans_type varchar(45) not null, status varchar(45) not null, query_prepared varchar(1024) not null,
  protocol varchar(45) not null, create_time timestamp(0) with time zone default null,
  update_time timestamp(0) with time zone default null, finish_time timestamp(0) with time zone default null,
  rollback_time timestamp(0) with time zone default null, options varchar(1024) default '',
  custom_data varchar(1024) default '', next_cron_interval int default null,
  next_cron_time timestamp(0) with time zone default null, owner varchar(128) not null default '', ext_data text,
  result varchar(1024) default '', rollback_reason varchar(1024) default '',
  primary key (id), constraint gid unique (gid));
create index owner on trans_global (owner);
create index status_next_cron_time on trans_global (status, next_cron_time);
create sequence if not exists trans_branch_op_seq;
create table trans_branch_op (
  id bigint not null default nextval('trans_branch_op_seq'), gid varchar(128) not null,
  url varchar(1024) not null, data text, bin_data bytea, branch_id varchar(128) not null, op varchar(45) not null,
  status varchar(45) not null, finish_time timestamp(0) with time zone default null,
  rollback_time timestamp(0) with time zone default null, create_time timestamp(0) with time zone default null,
  update_time timestamp(0) with time zone default null,
  primary key (id), constraint gid_branch_uniq unique (gid, branch_id, op));
create sequence if not exists kv_seq;
create table kv (
  id bigint not null default nextval('kv_seq'), cat varchar(45) not null, k varchar(128) not null, v text,
  version bigint default 1, create_time timestamp(0) with time zone default null,
  update_time timestamp(0) with time zone default null,
  primary key (id), constraint uniq_k unique (cat, k))`

// A PostgreSQL database as a dtm server left it, transactions of every mode stopped half-way.
func TestPostgresTakesOverWhatDtmLeft(t *testing.T) {
	t.Parallel()
	postgres, conf := dtmPostgres(t)
	script := harness.NewScript()
	service := harness.StartHTTP(t, script)
	for name, one := range leftBehind {
		one.script(script, name)
		postgres.Must(one.statements(name, service)...)
	}
	expectTakenOver(t, harness.StartTroth(t, harness.TrothOptions{Conf: conf}), script)
}

// The other way round: what a server of ours leaves is a row that dtm can go on with.
func TestPostgresRowsAreThoseOfDtm(t *testing.T) {
	t.Parallel()
	postgres, conf := dtmPostgres(t)
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
	where := " where gid = '" + gid + "'"
	rows := postgres.Must("select branch_id, op, status, convert_from(bin_data, 'UTF8') from trans_branch_op" + where + " order by id")
	expectEqual(t, "branches", rows,
		"01|compensate|prepared|1\n01|action|succeed|1\n02|compensate|prepared|2\n02|action|prepared|2")
	global := postgres.Must("select trans_type, status, protocol, options, custom_data, ext_data, result from trans_global" + where)
	expectEqual(t, "transaction", global, `saga|submitted|http|{"retry_interval":600,"concurrent":false}|||`)
	times := postgres.Must("select next_cron_interval >= 600, create_time <= now(), next_cron_time is not null from trans_global" + where)
	expectEqual(t, "times", times, "t|t|t")
}

// dtmPostgres is a server with dtm's tables, and the conf.yml of a server that uses them.
func dtmPostgres(t *testing.T) (*harness.Postgres, string) {
	t.Helper()
	postgres := harness.StartPostgres(t, "fsync = off")
	postgres.Must(dtmPostgresTables)
	return postgres, fmt.Sprintf("Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres}", postgres.Port)
}

// statements put the transaction there.
func (l left) statements(gid, service string) []string {
	age := l.age
	if age == 0 {
		age = time.Second
	}
	created := fmt.Sprintf("now() - interval '%d seconds'", int(age.Seconds()))
	query := l.query
	if query != "" {
		query = service + query
	}
	statements := []string{fmt.Sprintf(`insert into trans_global (gid, trans_type, status, query_prepared, protocol, create_time,
		update_time, options, custom_data, next_cron_interval, next_cron_time, owner, ext_data)
		values (%s, %s, %s, %s, 'http', %s, %s, %s, %s, 10, now(), %s, '')`,
		quoted(gid), quoted(l.kind), quoted(l.status), quoted(query), created, created,
		quoted(l.options), quoted(l.custom), quoted(l.owner))}
	for _, branch := range l.branches {
		fields := strings.SplitN(string(branch), " ", 4)
		url, payload := fields[3], leftPayload
		if url != "" {
			url = service + url
		}
		if l.kind == "xa" {
			payload = ""
		}
		statements = append(statements, fmt.Sprintf(`insert into trans_branch_op (gid, url, bin_data, branch_id, op, status,
			create_time, update_time) values (%s, %s, convert_to(%s, 'UTF8'), %s, %s, %s, %s, %s)`,
			quoted(gid), quoted(url), quoted(payload), quoted(fields[0]), quoted(fields[1]), quoted(fields[2]), created, created))
	}
	return statements
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
