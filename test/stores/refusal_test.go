package stores

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"troth/test/interop/harness"
)

// mistaken is a password that is wrong, and must not be shown.
const mistaken = "mistaken-password"

// expectRefused starts a server on a store that it cannot use, and wants it to end with what to do instead
// of waiting for the store; `troth store check` says the same.
func expectRefused(t *testing.T, store, advice string) {
	t.Helper()
	server := harness.NewTroth(t, harness.TrothOptions{Conf: store})
	server.Launch()
	if code := server.ExitCode(harness.Patience); code != 1 {
		t.Errorf("exit code %d: %s", code, server.LogTail())
	}
	check := exec.Command(harness.Program(t), "-c", "conf.yml", "store", "check")
	check.Dir = server.Folder
	checked, err := check.CombinedOutput()
	if err == nil {
		t.Errorf("troth store check finds nothing: %s", checked)
	}
	for _, said := range []string{server.Log(), string(checked)} {
		if !strings.Contains(said, advice) || strings.Contains(said, mistaken) {
			t.Errorf("%s\nsays: %s\nwant: %s", store, said, advice)
		}
	}
}

// expectWaits starts a server on a store that is not there yet.
func expectWaits(t *testing.T, store string) {
	t.Helper()
	server := harness.NewTroth(t, harness.TrothOptions{Conf: store})
	server.Launch()
	harness.Eventually(t, "troth has asked twice", func() (string, bool) {
		log := server.Log()
		return log, strings.Count(log, "the store does not answer; trying again") >= 2
	})
	if !server.Running() {
		t.Errorf("troth has ended: %s", server.LogTail())
	}
}

func TestMysqlThatRefusesUs(t *testing.T) {
	t.Parallel()
	mariadb := harness.StartMariaDB(t)
	execute(t, mariadb.DB, "create user troth@'127.0.0.1' identified by 'right'",
		"create user far@'192.0.2.1' identified by 'right'")
	conf := func(host, user, password string, port int) string {
		return fmt.Sprintf("Store: {Driver: mysql, Host: '%s', Port: %d, User: %s, Password: '%s', Db: nowhere}", host, port, user, password)
	}
	port := mariadb.Port
	expectRefused(t, conf("127.0.0.1", "troth", mistaken, port), "correct Store.User and Store.Password")
	expectRefused(t, conf("127.0.0.1", "nobody", mistaken, port), "correct Store.User and Store.Password")
	expectRefused(t, conf("127.0.0.1", "troth", "right", port), "CREATE DATABASE IF NOT EXISTS `nowhere`")
	expectRefused(t, conf("no host", "troth", "right", port), "correct Store.Host")
	expectWaits(t, conf("127.0.0.1", "troth", "right", harness.FreePort(t)))
}

func TestPostgresThatRefusesUs(t *testing.T) {
	t.Parallel()
	postgres := harness.StartPostgres(t)
	postgres.Must("create role troth login password 'right'")
	conf := func(host, user, password, db string, port int) string {
		return fmt.Sprintf("Store: {Driver: postgres, Host: '%s', Port: %d, User: %s, Password: '%s', Db: %s}", host, port, user, password, db)
	}
	port := postgres.Port
	expectRefused(t, conf("127.0.0.1", "nobody", mistaken, "postgres", port), "correct Store.User and Store.Password")
	expectRefused(t, conf("127.0.0.1", "troth", "right", "nowhere", port), "create the database, or correct Store.Db")
	postgres.AskForPasswords()
	expectRefused(t, conf("127.0.0.1", "troth", mistaken, "postgres", port), "correct Store.User and Store.Password")
	expectRefused(t, conf("127.0.0.1", "troth", "", "postgres", port), "set Store.Password")
	expectRefused(t, conf("no host", "troth", "right", "postgres", port), "correct Store.Host")
	expectWaits(t, conf("127.0.0.1", "troth", "right", "postgres", harness.FreePort(t)))
}

func TestRedisThatRefusesUs(t *testing.T) {
	t.Parallel()
	locked := harness.StartRedis(t, "user troth on >right ~{a}_* +@all -zadd")
	open := harness.StartRedis(t)
	conf := func(host, user, password string, port int) string {
		return fmt.Sprintf("Store: {Driver: redis, Host: '%s', Port: %d, User: '%s', Password: '%s'}", host, port, user, password)
	}
	expectRefused(t, conf("127.0.0.1", "troth", mistaken, locked.Port), "check Store.User and Store.Password")
	expectRefused(t, conf("127.0.0.1", "nobody", mistaken, locked.Port), "check Store.User and Store.Password")
	expectRefused(t, conf("127.0.0.1", "troth", "right", locked.Port), "docs/stores.md lists what it needs")
	locked.Cli("config", "set", "requirepass", "right")
	expectRefused(t, conf("127.0.0.1", "", "", locked.Port), "set Store.Password")
	expectRefused(t, conf("127.0.0.1", "", mistaken, open.Port), "check Store.User and Store.Password")
	expectRefused(t, conf("no host", "", "", open.Port), "correct Store.Host")
	expectWaits(t, conf("127.0.0.1", "", "", harness.FreePort(t)))
}
