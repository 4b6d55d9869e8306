package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Redis is a server of the test's own, with a data folder and a port that it keeps when it is killed and
// started again.
type Redis struct {
	Port int

	*Process
	tb     TB
	folder string
}

// StartRedis returns when the server answers. It writes to its disk before it answers a write, unless the
// options, lines of redis.conf, say something else.
func StartRedis(tb TB, options ...string) *Redis {
	tb.Helper()
	r := &Redis{Port: FreePort(tb), tb: tb, folder: tb.TempDir()}
	lines := append([]string{
		fmt.Sprintf("port %d", r.Port), "bind 127.0.0.1", "dir " + r.folder,
		`save ""`, "appendonly yes", "appendfsync always",
	}, options...)
	conf := filepath.Join(r.folder, "redis.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		tb.Fatalf("write redis.conf: %v", err)
	}
	r.Start()
	return r
}

// Start starts it, again after Kill, with what was on disk.
func (r *Redis) Start() {
	r.tb.Helper()
	r.Process = StartProcess(r.tb, "redis", r.folder, ServerProgram("redis-server"), filepath.Join(r.folder, "redis.conf"))
	Eventually(r.tb, "Redis answers", func() (string, bool) {
		answer := r.Cli("ping")
		return answer, answer == "PONG"
	})
}

// Address is host:port.
func (r *Redis) Address() string { return fmt.Sprintf("127.0.0.1:%d", r.Port) }

// Cli asks one command; the answer is what redis-cli shows.
func (r *Redis) Cli(words ...string) string {
	arguments := append([]string{"-h", "127.0.0.1", "-p", fmt.Sprint(r.Port)}, words...)
	output, err := exec.Command(ServerProgram("redis-cli"), arguments...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, output)
	}
	return strings.TrimSpace(string(output))
}
