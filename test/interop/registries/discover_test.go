package registries

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"troth/test/interop/harness"
)

// discover runs `troth discover` with a server's configuration: its output and whether it found anything.
func discover(t *testing.T, server *harness.Troth, name string) (string, bool) {
	t.Helper()
	command := exec.Command(harness.Program(t), "-c", "conf.yml", "discover", name)
	command.Dir = server.Folder
	output, err := command.Output()
	return string(output), err == nil
}

func expectText(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, part := range wanted {
		if !strings.Contains(text, part) {
			t.Errorf("%s: no %q in:\n%s", what, part, text)
		}
	}
}

func TestDiscoverTellsWhatANameResolvesTo(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	service := startTrans(t, etcd, "first", harness.NewScript())
	server := startTroth(t, etcdTarget(etcd))
	etcd.Put(t, "/microservices/trans/dead",
		`{"id":"dead","name":"trans","version":"v9","metadata":{"weight":"7"},"endpoints":["grpc://127.0.0.1:1"]}`)

	output, found := discover(t, server, "trans")
	if !found {
		t.Errorf("exit code not 0")
	}
	expectText(t, "discover trans", output, "etcd at "+etcd.Address+" (connected to",
		service.Address+", weight 100: connected", "dead, version v9, weight=7",
		"127.0.0.1:1, weight 7: cannot connect")

	output, found = discover(t, server, "nobody")
	if found {
		t.Errorf("exit code 0")
	}
	expectText(t, "discover nobody", output, "no instance of 'nobody' is registered")

	code, body, err := server.Get("/api/v1/discover?name=discovery:///trans/a.B/C")
	if err != nil || code != http.StatusOK {
		t.Fatalf("API: %d %v", code, err)
	}
	expectText(t, "API", body, `"target":"discovery:///trans"`, `"connected":true`, `"weight":7`)
	if code, _, err = server.Get("/api/v1/discover"); err != nil || code != http.StatusBadRequest {
		t.Errorf("API without a name: %d %v", code, err)
	}
}
