package stores

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// As a database should run: what it has committed survives its death.
var durable = []string{"--innodb-flush-log-at-trx-commit=1"}

func mysqlConf(port int) string {
	return fmt.Sprintf("Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: root, Db: dtm}", port)
}

func TestServersAreKilledOnMysql(t *testing.T) {
	t.Parallel()
	killServers(t, mysqlConf(harness.StartMariaDB(t, durable...).Port))
}

// MariaDB dies under load and comes back with what it had committed.
func TestMysqlIsKilled(t *testing.T) {
	t.Parallel()
	mariadb := harness.StartMariaDB(t, durable...)
	underLoad(t, mysqlConf(mariadb.Port), func() {
		mariadb.Kill()
		mariadb.Start()
	})
}

func TestConnectionsToMysqlAreCut(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartMariaDB(t).Address())
	underLoad(t, mysqlConf(proxy.Port), proxy.Cut)
	if proxy.Cuts() == 0 {
		t.Fatal("nothing was cut")
	}
}

// What is asked of MariaDB is done, and the answer gets lost.
func TestAnswersOfMysqlAreLost(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartMariaDB(t).Address())
	underLoad(t, mysqlConf(proxy.Port), func() {
		lost := proxy.Cuts()
		proxy.LoseAnswers(true)
		harness.Eventually(t, "an answer is lost", func() (string, bool) {
			return fmt.Sprint(proxy.Cuts()), proxy.Cuts() > lost
		})
		proxy.LoseAnswers(false)
	})
}

// A second writer takes rows in the order opposite to troth's.
func TestMysqlSeesDeadlocks(t *testing.T) {
	t.Parallel()
	mariadb := harness.StartMariaDB(t)
	underLoad(t, mysqlConf(mariadb.Port), func() {
		for until := time.Now().Add(disturbance); time.Now().Before(until); {
			_ = lockBackwards(mariadb.DB) // it may be the one that loses
		}
	})
}

func lockBackwards(db *sql.DB) error {
	transaction, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = transaction.Rollback() }()
	rows, err := transaction.Query("select id from dtm.trans_global order by gid desc limit 100")
	if err != nil {
		return err
	}
	ids := []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		if _, err := transaction.Exec("update dtm.trans_global set ext_data = '' where id = ?", id); err != nil {
			return err
		}
	}
	return transaction.Commit()
}

// Somebody else takes every connection there is, and those of the servers are closed.
func TestMysqlHasNoConnectionLeft(t *testing.T) {
	t.Parallel()
	mariadb := harness.StartMariaDB(t, "--max-connections=12")
	execute(t, mariadb.DB, "create user troth@'127.0.0.1'", "grant all on *.* to troth@'127.0.0.1'",
		"revoke super on *.* from troth@'127.0.0.1'")
	conf := fmt.Sprintf("Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: troth, Db: dtm}", mariadb.Port)
	underLoad(t, conf, func() {
		others := sync.WaitGroup{}
		for i := 0; i < 12; i++ {
			others.Add(1)
			go func() {
				defer others.Done()
				hold(mariadb.Port)
			}()
		}
		killConnections(t, mariadb.DB, "troth")
		others.Wait()
	})
}

// hold uses a connection of its own for a while, if it can get one.
func hold(port int) {
	db, err := sql.Open("mysql", fmt.Sprintf("troth@tcp(127.0.0.1:%d)/", port))
	if err != nil {
		return
	}
	defer db.Close()
	_, _ = db.Exec(fmt.Sprintf("do sleep(%f)", disturbance.Seconds()))
}

// MaxOpenConns leaves everything to one connection.
func TestMysqlWithOneConnection(t *testing.T) {
	t.Parallel()
	mariadb := harness.StartMariaDB(t)
	conf := fmt.Sprintf("Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: root, Db: dtm, MaxOpenConns: 1}", mariadb.Port)
	underLoad(t, conf, func() { killConnections(t, mariadb.DB, "root") })
}

// As after a failover that made the server a replica, and another one back.
func TestMysqlIsReadOnly(t *testing.T) {
	t.Parallel()
	mariadb := harness.StartMariaDB(t)
	execute(t, mariadb.DB, "create user troth@'127.0.0.1'", "grant all on dtm.* to troth@'127.0.0.1'")
	conf := fmt.Sprintf("Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: troth, Db: dtm}", mariadb.Port)
	underLoad(t, conf, func() {
		execute(t, mariadb.DB, "set global read_only = on")
		time.Sleep(disturbance)
		execute(t, mariadb.DB, "set global read_only = off")
	})
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// killConnections ends all connections of an account but the one that is used for it.
func killConnections(t *testing.T, db *sql.DB, user string) {
	t.Helper()
	rows, err := db.Query("select id from information_schema.processlist where user = ? and id <> connection_id()", user)
	if err != nil {
		t.Fatalf("list connections: %v", err)
	}
	defer rows.Close()
	ids := []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatalf("list connections: %v", err)
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		_, _ = db.Exec(fmt.Sprintf("kill %d", id)) // it may have ended by itself
	}
}
