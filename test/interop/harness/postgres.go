package harness

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// Postgres is a database server of the test's own, with a data folder and a port that it keeps when it is
// killed and started again.
type Postgres struct {
	Port int

	*Process
	tb       TB
	folder   string
	programs string   // where initdb and postgres are
	as       []string // PostgreSQL refuses to run as root
}

// StartPostgres returns when the server answers. Every commit is durable unless the options, lines of
// postgresql.conf, say something else.
func StartPostgres(tb TB, options ...string) *Postgres {
	tb.Helper()
	p := &Postgres{Port: FreePort(tb), tb: tb, folder: tb.TempDir(), programs: postgresPrograms(tb)}
	if os.Getuid() == 0 {
		p.as = []string{"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"}
		p.giveAway()
	}
	p.run("initdb", "--pgdata="+p.data(), "--username=postgres", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C")
	lines := append([]string{
		"", fmt.Sprintf("port = %d", p.Port), "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''",
		"shared_buffers = 32MB", "max_connections = 200",
	}, options...)
	conf, err := os.OpenFile(filepath.Join(p.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		tb.Fatalf("postgresql.conf: %v", err)
	}
	defer conf.Close()
	if _, err := conf.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		tb.Fatalf("postgresql.conf: %v", err)
	}
	p.Start()
	return p
}

// Start starts it, again after Kill, with what was on disk.
func (p *Postgres) Start() {
	p.tb.Helper()
	command := append(append([]string{}, p.as...), filepath.Join(p.programs, "postgres"), "-D", p.data())
	p.Process = StartProcess(p.tb, "postgres", p.folder, command[0], command[1:]...)
	p.tb.Cleanup(p.Kill) // its children too, who may write to the folder that is removed next
	Eventually(p.tb, "PostgreSQL answers", func() (string, bool) {
		answer, err := p.Query("select 1")
		return answer, err == nil
	})
}

// Kill ends the server and the processes of its connections at once (SIGKILL), as when the machine loses
// its power. It returns when all have ended: PostgreSQL does not start again beside one that still has its
// memory.
func (p *Postgres) Kill() {
	p.Signal(syscall.SIGSTOP) // it begins no more of them
	Eventually(p.tb, "PostgreSQL stands still", func() (string, bool) {
		state := processState(p.command.Process.Pid)
		return state, state == "T" || state == "Z" || state == ""
	})
	path := fmt.Sprintf("/proc/%d/task/%d/children", p.command.Process.Pid, p.command.Process.Pid)
	text, _ := os.ReadFile(path)
	p.Process.Kill()
	children := []int{}
	for _, child := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(child); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
			children = append(children, pid)
		}
	}
	for _, pid := range children {
		Eventually(p.tb, fmt.Sprintf("process %d of PostgreSQL has ended", pid), func() (string, bool) {
			state := processState(pid)
			return state, state == "" || state == "Z"
		})
	}
}

// processState is the letter that /proc has for it; "" when there is no such process.
func processState(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// After the name, which may have anything in it, and its bracket.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) == 0 {
		return ""
	}
	return fields[0]
}

// Address is host:port.
func (p *Postgres) Address() string { return fmt.Sprintf("127.0.0.1:%d", p.Port) }

// Query runs statements, as the superuser in the database postgres: the rows without decoration.
func (p *Postgres) Query(statements ...string) (string, error) {
	arguments := []string{
		"-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", fmt.Sprint(p.Port), "-U", "postgres",
	}
	for _, statement := range statements {
		arguments = append(arguments, "-c", statement)
	}
	output, err := exec.Command("psql", append(arguments, "postgres")...).CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// Must is Query, which must succeed.
func (p *Postgres) Must(statements ...string) string {
	p.tb.Helper()
	output, err := p.Query(statements...)
	if err != nil {
		p.tb.Fatalf("%v: %v: %s", statements, err, output)
	}
	return output
}

func (p *Postgres) data() string { return filepath.Join(p.folder, "data") }

// giveAway makes the folder one of the user that PostgreSQL runs as, who must get through to it.
func (p *Postgres) giveAway() {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		p.tb.Fatalf("PostgreSQL cannot run as root: %v", err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	if err := os.Chown(p.folder, uid, gid); err != nil {
		p.tb.Fatalf("%v", err)
	}
	for folder := filepath.Dir(p.folder); strings.HasPrefix(folder, os.TempDir()) && folder != os.TempDir(); folder = filepath.Dir(folder) {
		_ = os.Chmod(folder, 0o755)
	}
}

func (p *Postgres) run(program string, arguments ...string) {
	p.tb.Helper()
	command := append(append([]string{}, p.as...), filepath.Join(p.programs, program))
	cmd := exec.Command(command[0], append(command[1:], arguments...)...)
	cmd.Dir = p.folder
	if output, err := cmd.CombinedOutput(); err != nil {
		p.tb.Fatalf("%s: %v\n%s", program, err, output)
	}
}

// The one in TROTH_TEST_PROGRAMS, or the newest that is installed.
func postgresPrograms(tb TB) string {
	tb.Helper()
	if chosen := ServerProgram("initdb"); chosen != "initdb" {
		return filepath.Dir(chosen)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		tb.Fatalf("PostgreSQL is not installed; './dev setup' brings it")
	}
	sort.Strings(found)
	return found[len(found)-1]
}

// RequireTLS makes it take connections with TLS only, and from the user `secured` only those that show a
// certificate.
func (p *Postgres) RequireTLS(c *Certificates) {
	p.tb.Helper()
	for name, source := range map[string]string{"server.crt": c.Server, "server.key": c.ServerKey, "root.crt": c.CA} {
		text, err := os.ReadFile(source)
		if err != nil {
			p.tb.Fatalf("%v", err)
		}
		p.write(name, string(text))
	}
	p.write("pg_hba.conf", "hostssl all secured 127.0.0.1/32 trust clientcert=verify-ca\n"+
		"hostssl all postgres 127.0.0.1/32 trust\n")
	p.Must("create role secured login", "alter system set ssl_ca_file = 'root.crt'", "alter system set ssl = on",
		"select pg_reload_conf()")
	Eventually(p.tb, "PostgreSQL wants TLS", func() (string, bool) {
		answer, err := p.Query("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
		return answer, err == nil && answer == "t"
	})
}

// write puts a file into the data folder, for its owner's eyes.
func (p *Postgres) write(name, text string) {
	p.tb.Helper()
	path := filepath.Join(p.data(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.tb.Fatalf("%v", err)
	}
	owner, err := os.Stat(p.data())
	if err != nil {
		p.tb.Fatalf("%v", err)
	}
	if as, ok := owner.Sys().(*syscall.Stat_t); ok && os.Getuid() == 0 {
		if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
			p.tb.Fatalf("%v", err)
		}
	}
}

// AskForPasswords makes every account but the superuser's show a password.
func (p *Postgres) AskForPasswords() {
	p.tb.Helper()
	p.write("pg_hba.conf", "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
	p.Must("select pg_reload_conf()")
	Eventually(p.tb, "PostgreSQL wants passwords", func() (string, bool) {
		answer, err := exec.Command("psql", "-X", "-w", "-h", "127.0.0.1", "-p", fmt.Sprint(p.Port), "-U", "anybody",
			"postgres").CombinedOutput()
		return string(answer), err != nil && strings.Contains(string(answer), "no password supplied")
	})
}
