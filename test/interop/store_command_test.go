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

// Transactions, ended and not, move from the embedded store to PostgreSQL and back, and go on there.
func TestStoreIsCopiedThereAndBack(t *testing.T) {
	const finished = 20
	postgres := harness.StartPostgres(t, "fsync = off")
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?schema=copied", postgres.Port)
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

	second := harness.StartTroth(t, harness.TrothOptions{Conf: fmt.Sprintf(
		"Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres, Schema: copied}",
		postgres.Port)})
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
	postgres := harness.StartPostgres(t, "fsync = off")
	conf := filepath.Join(t.TempDir(), "conf.yml")
	text := fmt.Sprintf("Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres}\n", postgres.Port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, ok := storeCommand(t, "check", "-c", conf); ok || !strings.Contains(output, "there is no table kv") {
		t.Fatalf("check of nothing: %s", output)
	}
	mustStoreCommand(t, "init", "-c", conf)
	postgres.Must("alter table trans_global drop column result")
	output, ok := storeCommand(t, "check", "-c", conf)
	if ok || !strings.Contains(output, "ALTER TABLE trans_global ADD result varchar(1024) DEFAULT '';") {
		t.Fatalf("check of an older table: %s", output)
	}
	mustStoreCommand(t, "widen", "-c", conf)
	if output := mustStoreCommand(t, "check", "-c", conf); !strings.Contains(output, "all is as it should be") {
		t.Fatalf("check of widened tables: %s", output)
	}
	if output, ok := storeCommand(t, "reset", "-c", conf); ok || !strings.Contains(output, "nothing was removed") {
		t.Fatalf("reset without an answer: %s", output)
	}
	mustStoreCommand(t, "reset", "--yes", "-c", conf)
}
