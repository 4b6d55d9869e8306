package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"troth/test/interop/harness"
)

// troth store ...: what it prints, and whether its exit code is 0.
func storeCommand(t *testing.T, words ...string) (string, bool) {
	t.Helper()
	output, err := exec.Command(harness.Program(t), append([]string{"store"}, words...)...).CombinedOutput()
	return string(output), err == nil
}

func mustStoreCommand(t *testing.T, words ...string) string {
	t.Helper()
	output, ok := storeCommand(t, words...)
	if !ok {
		t.Fatalf("troth store %v: %s", words, output)
	}
	return output
}

// Transactions, ended and not, move from the embedded store to a shared one and back, and go on there.
func TestStoreIsCopiedThereAndBack(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		port := harness.StartPostgres(t, "fsync = off").Port
		testCopied(t, fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?schema=copied", port), fmt.Sprintf(
			"Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres, Schema: copied}", port))
	})
	t.Run("mysql", func(t *testing.T) {
		port := shared.mariadb.Port
		testCopied(t, fmt.Sprintf("mysql://root@127.0.0.1:%d/copied", port), fmt.Sprintf(
			"Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: root, Db: copied}", port))
	})
	t.Run("redis", func(t *testing.T) {
		port := harness.StartRedis(t).Port
		testCopied(t, fmt.Sprintf("redis://127.0.0.1:%d?prefix=copied", port), fmt.Sprintf(
			"Store: {Driver: redis, Host: 127.0.0.1, Port: %d, RedisPrefix: copied}", port))
	})
}

// testCopied copies to the store with that URL and back; conf is what a server needs to use it.
func testCopied(t *testing.T, url, conf string) {
	t.Helper()
	const finished = 20
	first := harness.StartTroth(t, harness.TrothOptions{Conf: "Store: {Driver: embedded, Path: data}"})
	data := filepath.Join(first.Folder, "data")
	submit := func(gid, more string) {
		ping := fmt.Sprintf("http://127.0.0.1:%d/api/ping", first.HTTPPort)
		code, answer, err := first.Post("submit", fmt.Sprintf(
			`{"gid":"%s","trans_type":"msg","steps":[{"action":"%s"}],"payloads":["{}"]%s}`, gid, ping, more))
		if err != nil || code != 200 {
			t.Fatalf("submit %s: %d %s %v", gid, code, answer, err)
		}
	}
	for i := 0; i < finished; i++ {
		submit(fmt.Sprintf("finished%d", i), `,"wait_result":true`)
	}
	submit("waiting", `,"custom_data":"{\"delay\":3600}"`)

	if output, ok := storeCommand(t, "copy", data, url); ok || !strings.Contains(output, "another process is using the store") {
		t.Fatalf("a store in use was copied: %s", output)
	}
	first.Terminate()
	verified := fmt.Sprintf("verified: %d transactions (0 were there)", finished+1)
	if output := mustStoreCommand(t, "copy", data, url); !strings.Contains(output, verified) {
		t.Fatalf("copied: %s", output)
	}
	if output, ok := storeCommand(t, "copy", data, url); ok || !strings.Contains(output, "--merge") {
		t.Fatalf("copied again: %s", output)
	}
	mustStoreCommand(t, "copy", data, url, "--merge")

	second := harness.StartTroth(t, harness.TrothOptions{Conf: conf})
	second.Await(t, "finished7", "succeed")
	second.Await(t, "waiting", "submitted")
	second.Terminate()

	back := filepath.Join(t.TempDir(), "back")
	if output := mustStoreCommand(t, "copy", url, "embedded:"+back); !strings.Contains(output, verified) {
		t.Fatalf("copied back: %s", output)
	}
	third := harness.StartTroth(t, harness.TrothOptions{Conf: "Store: {Driver: embedded, Path: " + back + "}"})
	third.Await(t, "finished7", "succeed")
	if branches := third.Await(t, "waiting", "submitted").BranchStates(); len(branches) != 1 {
		t.Fatalf("branches: %v", branches)
	}
}

// Tables of an older dtm are refused with the statements that mend them; widen runs them.
func TestStoreTablesAreCheckedAndWidened(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		postgres := harness.StartPostgres(t, "fsync = off")
		testWidened(t, fmt.Sprintf("Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres}", postgres.Port),
			func(statement string) { postgres.Must(statement) })
	})
	t.Run("mysql", func(t *testing.T) {
		mariadb := shared.mariadb
		testWidened(t, fmt.Sprintf("Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: root, Db: widened}", mariadb.Port),
			func(statement string) {
				_, err := mariadb.DB.Exec(strings.Replace(statement, "trans_global", "widened.trans_global", 1))
				must(t, err)
			})
	})
}

// testWidened works on an empty store; execute runs a statement in its database.
func testWidened(t *testing.T, store string, execute func(statement string)) {
	t.Helper()
	conf := writeConf(t, store)
	if output, ok := storeCommand(t, "check", "-c", conf); ok || !strings.Contains(output, "there is no table kv") {
		t.Fatalf("check of nothing: %s", output)
	}
	mustStoreCommand(t, "init", "-c", conf)
	execute("alter table trans_global drop column result")
	output, ok := storeCommand(t, "check", "-c", conf)
	if ok || !strings.Contains(output, "ALTER TABLE trans_global ADD result varchar(1024) DEFAULT '';") {
		t.Fatalf("check of an older table: %s", output)
	}
	mustStoreCommand(t, "widen", "-c", conf)
	if output := mustStoreCommand(t, "check", "-c", conf); !strings.Contains(output, "all is as it should be") {
		t.Fatalf("check of widened tables: %s", output)
	}
	testReset(t, conf)
}

// Redis has no tables; its keys are asked for before they go.
func TestStoreOfRedisIsCheckedAndReset(t *testing.T) {
	conf := writeConf(t, fmt.Sprintf("Store: {Driver: redis, Host: 127.0.0.1, Port: %d}", harness.StartRedis(t).Port))
	mustStoreCommand(t, "init", "-c", conf)
	if output := mustStoreCommand(t, "check", "-c", conf); !strings.Contains(output, "is fine") {
		t.Fatalf("check: %s", output)
	}
	testReset(t, conf)
}

func testReset(t *testing.T, conf string) {
	t.Helper()
	if output, ok := storeCommand(t, "reset", "-c", conf); ok || !strings.Contains(output, "nothing was removed") {
		t.Fatalf("reset without an answer: %s", output)
	}
	mustStoreCommand(t, "reset", "--yes", "-c", conf)
}

// writeConf makes a conf.yml and says where it is.
func writeConf(t *testing.T, text string) string {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "conf.yml")
	must(t, os.WriteFile(conf, []byte(text+"\n"), 0o600))
	return conf
}
