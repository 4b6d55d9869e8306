package harness

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
)

// A store of servers under test that is a server itself: makes the lines of conf.yml, below "Store:",
// for one more that is empty.
type newStore func() []string

// What TROTH_TEST_STORE may name. Each starts its server, which all tests share.
var stores = map[string]func(TB) newStore{
	"mysql":    mysqlStores,
	"postgres": postgresStores,
	"redis":    redisStores,
}

var useStore newStore // nil: the embedded store

// UseStore makes every server that is started later keep its transactions in the store that
// TROTH_TEST_STORE names, unless its own configuration speaks of a store.
func UseStore(tb TB) {
	tb.Helper()
	name := os.Getenv("TROTH_TEST_STORE")
	if name == "" {
		return
	}
	start, known := stores[name]
	if !known {
		tb.Fatalf("TROTH_TEST_STORE=%s: there is no such store", name)
	}
	useStore = start(tb)
}

// storeLines are for the conf.yml of a server whose own lines are `conf`.
func storeLines(conf string) []string {
	if useStore == nil || strings.Contains(conf, "Store:") {
		return nil
	}
	lines := []string{"Store:"}
	for _, line := range useStore() {
		lines = append(lines, " "+line)
	}
	return lines
}

// prepareStore makes the tables as wide as an operator does who wants what clients may send. What a test
// writes into the server's conf.yml, say nonsense, is not read.
func (s *Troth) prepareStore(lines []string) {
	s.tb.Helper()
	s.write("store.yml", strings.Join(append(lines, ""), "\n"))
	for _, action := range []string{"init", "widen"} {
		command := exec.Command(Program(s.tb), "-c", "store.yml", "store", action)
		command.Dir = s.Folder
		if output, err := command.CombinedOutput(); err != nil {
			s.tb.Fatalf("troth store %s: %v\n%s", action, err, output)
		}
	}
}

func mysqlStores(tb TB) newStore {
	mariadb := StartMariaDB(tb, "--max-allowed-packet=64M") // MySQL 5.7 has 4 MiB; clients may send more
	var databases int64
	return func() []string {
		return []string{
			"Driver: mysql", "Host: 127.0.0.1", fmt.Sprintf("Port: %d", mariadb.Conf.Port), "User: root",
			fmt.Sprintf("Db: troth%d", atomic.AddInt64(&databases, 1)),
		}
	}
}

func postgresStores(tb TB) newStore {
	// Durable commits would only be slow: the tests never kill the database.
	postgres := StartPostgres(tb, "fsync = off")
	var schemas int64
	return func() []string {
		return []string{
			"Driver: postgres", "Host: 127.0.0.1", fmt.Sprintf("Port: %d", postgres.Port), "User: postgres",
			"Db: postgres", fmt.Sprintf("Schema: troth%d", atomic.AddInt64(&schemas, 1)),
		}
	}
}

func redisStores(tb TB) newStore {
	redis := StartRedis(tb)
	var prefixes int64
	return func() []string {
		return []string{
			"Driver: redis", "Host: 127.0.0.1", fmt.Sprintf("Port: %d", redis.Port),
			fmt.Sprintf("RedisPrefix: '{t%d}'", atomic.AddInt64(&prefixes, 1)),
		}
	}
}
