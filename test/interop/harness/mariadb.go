package harness

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	_ "github.com/go-sql-driver/mysql" // the driver that dtmcli.DBConf names
)

// MariaDB is a database server of the test's own, or a MySQL if TROTH_TEST_PROGRAMS has one, with the
// barrier table of the client. It keeps its data and its port when it is killed and started again.
type MariaDB struct {
	Conf dtmcli.DBConf // of the database "bank"
	DB   *sql.DB       // the same
	Port int

	*Process
	tb        TB
	folder    string
	arguments []string
}

// StartMariaDB makes a new data directory and returns when the server in it can be used. Commits are not
// durable, which would only be slow, unless the options, arguments of mariadbd, say something else.
func StartMariaDB(tb TB, options ...string) *MariaDB {
	tb.Helper()
	folder, port, owner := tb.TempDir(), FreePort(tb), currentUser(tb)
	data := filepath.Join(folder, "data")
	install := exec.Command(ServerProgram("mariadb-install-db"), "--no-defaults", "--user="+owner, "--datadir="+data,
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	if isMySQL() {
		install = exec.Command(ServerProgram("mysqld"), "--no-defaults", "--user="+owner, "--datadir="+data, "--initialize-insecure")
	}
	install.Env = append(os.Environ(), "TMPDIR="+folder) // servers clear each other's away at their start
	if output, err := install.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", install.Path, err, output)
	}
	m := &MariaDB{Port: port, tb: tb, folder: folder}
	m.arguments = append([]string{
		"--user=" + owner, "--datadir=" + data,
		"--tmpdir=" + folder, fmt.Sprintf("--port=%d", port), "--bind-address=127.0.0.1", "--socket=" + filepath.Join(folder, "socket"),
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--innodb-lock-wait-timeout=3",
		"--max-connections=500",
	}, options...)
	m.Conf = dtmcli.DBConf{Driver: "mysql", Host: "127.0.0.1", Port: int64(port), User: "root"}
	m.Start()
	createTables(tb, m.Conf)
	m.Conf.Db = "bank"
	m.DB = openDB(tb, m.Conf)
	return m
}

// Start starts it, again after Kill, and waits until it answers.
func (m *MariaDB) Start() {
	m.tb.Helper()
	// MySQL's root is one of localhost's, which 127.0.0.1 is by its name; its other protocol has a port.
	server, option := ServerProgram("mariadbd"), "--skip-name-resolve"
	if isMySQL() {
		server, option = ServerProgram("mysqld"), "--loose-mysqlx=OFF"
	}
	m.Process = StartProcess(m.tb, "mariadb", m.folder, server, append([]string{"--no-defaults", option}, m.arguments...)...)
	conf := m.Conf
	conf.Db = ""
	db := openDB(m.tb, conf)
	Eventually(m.tb, "MariaDB answers", func() (string, bool) {
		err := db.Ping()
		return fmt.Sprint(err), err == nil
	})
}

// A folder with a mysqld of its own is one of MySQL, which differs in how it is started.
func isMySQL() bool { return ServerProgram("mysqld") != "mysqld" }

// Address is host:port.
func (m *MariaDB) Address() string { return fmt.Sprintf("127.0.0.1:%d", m.Port) }

func currentUser(tb TB) string {
	tb.Helper()
	current, err := user.Current()
	if err != nil {
		tb.Fatalf("who runs the tests? %v", err)
	}
	return current.Username
}

// The barrier table is the one of dtm's clients, protocol/barrier.md 1.
const tables = `
create database bank;
create table bank.account (
  id bigint primary key auto_increment,
  balance bigint not null, pending bigint not null default 0, closed bool not null default false);
create database dtm_barrier;
create table dtm_barrier.barrier (
  id bigint primary key auto_increment,
  trans_type varchar(45) default '', gid varchar(128) default '', branch_id varchar(128) default '',
  op varchar(45) default '', barrier_id varchar(45) default '', reason varchar(45) default '',
  create_time datetime default now(), update_time datetime default now(),
  unique key (gid, branch_id, op, barrier_id))`

func createTables(tb TB, conf dtmcli.DBConf) {
	tb.Helper()
	db := openDB(tb, conf)
	for _, statement := range strings.Split(tables, ";") {
		if _, err := db.Exec(statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}

func openDB(tb TB, conf dtmcli.DBConf) *sql.DB {
	tb.Helper()
	source := fmt.Sprintf("%s@tcp(%s:%d)/%s", conf.User, conf.Host, conf.Port, conf.Db)
	db, err := sql.Open(conf.Driver, source)
	if err != nil {
		tb.Fatalf("open %s: %v", source, err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// AwaitDetached runs the first phase of an XA branch, which tells its connection by `connection`, and
// returns when that connection has ended in the server as well. MariaDB lets nobody else commit before,
// and the client takes its "unknown XID" for "committed already".
func (m *MariaDB) AwaitDetached(phase func(connection *int64) error) error {
	var connection int64
	if err := phase(&connection); err != nil || connection == 0 {
		return err
	}
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(pollInterval) {
		var count int
		row := m.DB.QueryRow("select count(*) from information_schema.processlist where id = ?", connection)
		if err := row.Scan(&count); err != nil || count == 0 {
			return err
		}
	}
	return fmt.Errorf("connection %d does not end", connection)
}
