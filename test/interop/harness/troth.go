package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Program is the troth binary under test, from the environment variable TROTH_BIN.
func Program(tb TB) string {
	tb.Helper()
	program := os.Getenv("TROTH_BIN")
	if program == "" {
		tb.Fatalf("TROTH_BIN is not set; test/interop/run sets it")
	}
	return program
}

// Troth is a server in a folder and on ports of its own, kept when it is killed and started again.
type Troth struct {
	HTTP     string // base of the HTTP API for clients: http://127.0.0.1:1234/api/dtmsvr
	GRPC     string // host:port
	HTTPPort int
	GRPCPort int
	Folder   string // conf.yml and the data lie here

	*Process
	tb TB
}

// TrothOptions say what conf.yml shall hold besides the ports.
type TrothOptions struct {
	Etcd *Etcd  // to register in, as dtmservice; nil: registers nowhere
	Conf string // further lines
}

// StartTroth returns when the server answers.
func StartTroth(tb TB, options TrothOptions) *Troth {
	tb.Helper()
	s := NewTroth(tb, options)
	s.Start()
	return s
}

// NewTroth writes the configuration of a server that Start starts later.
func NewTroth(tb TB, options TrothOptions) *Troth {
	tb.Helper()
	s := &Troth{HTTPPort: FreePort(tb), GRPCPort: FreePort(tb), Folder: tb.TempDir(), tb: tb}
	s.HTTP = fmt.Sprintf("http://127.0.0.1:%d/api/dtmsvr", s.HTTPPort)
	s.GRPC = fmt.Sprintf("127.0.0.1:%d", s.GRPCPort)
	lines := []string{
		fmt.Sprintf("HttpPort: %d", s.HTTPPort),
		fmt.Sprintf("GrpcPort: %d", s.GRPCPort),
		"TransCronInterval: 1",
	}
	if !strings.Contains(options.Conf, "MicroService:") {
		lines = append(lines, "MicroService:", " Driver: 'dtm-driver-kratos'")
		if options.Etcd != nil {
			lines = append(lines,
				fmt.Sprintf(" Target: 'etcd://%s/dtmservice'", options.Etcd.Address),
				fmt.Sprintf(" EndPoint: 'grpc://localhost:%d'", s.GRPCPort))
		}
	}
	store := storeLines(options.Conf)
	lines = append(lines, store...)
	lines = append(lines, options.Conf, "")
	s.write("conf.yml", strings.Join(lines, "\n"))
	if store != nil {
		s.prepareStore(store)
	}
	return s
}

// Start starts it, again after Kill, and waits until it answers.
func (s *Troth) Start() {
	s.tb.Helper()
	s.Launch()
	Eventually(s.tb, "troth answers", func() (string, bool) {
		if !s.Running() {
			s.tb.Fatalf("troth ended:\n%s", s.LogTail())
		}
		code, _, err := s.Get("/api/ping")
		return fmt.Sprint(code, err), err == nil && code == http.StatusOK
	})
}

// Launch starts it without waiting for anything.
func (s *Troth) Launch() {
	s.tb.Helper()
	s.Process = StartProcess(s.tb, "troth", s.Folder, Program(s.tb), "-c", "conf.yml")
}

// Terminate asks it to stop (SIGTERM) and returns its exit code.
func (s *Troth) Terminate() int {
	s.tb.Helper()
	s.Signal(syscall.SIGTERM)
	return s.ExitCode(Patience)
}

// Get asks a path ("/api/ping"): status code and body.
func (s *Troth) Get(path string) (int, string, error) {
	return s.Send(http.MethodGet, path, "")
}

// Version is the server's, in its own words.
func (s *Troth) Version(t TB) string {
	t.Helper()
	_, text, err := s.Get("/api/dtmsvr/version")
	if err != nil {
		t.Fatalf("no version: %v", err)
	}
	var answer struct{ Version string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("no version: %v", err)
	}
	return answer.Version
}

// Post sends a JSON text to an operation ("submit"): status code and body.
func (s *Troth) Post(operation, body string) (int, string, error) {
	return s.Send(http.MethodPost, "/api/dtmsvr/"+operation, body)
}

// PostBy is Post by a client of the caller's, say one that keeps many connections.
func (s *Troth) PostBy(client *http.Client, operation, body string) (int, string, error) {
	return s.sendBy(client, http.MethodPost, "/api/dtmsvr/"+operation, body)
}

// Send makes any request: status code and body.
func (s *Troth) Send(method, path, body string) (int, string, error) {
	return s.sendBy(httpClient, method, path, body)
}

func (s *Troth) sendBy(client *http.Client, method, path, body string) (int, string, error) {
	base := fmt.Sprintf("http://127.0.0.1:%d", s.HTTPPort)
	request, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}

var httpClient = &http.Client{Timeout: Patience}

// Transaction is what the server tells about one.
type Transaction struct {
	Gid            string `json:"gid"`
	TransType      string `json:"trans_type"`
	Status         string `json:"status"`
	RollbackReason string `json:"rollback_reason"`
	Result         string `json:"result"`
	Protocol       string `json:"protocol"`
	QueryPrepared  string `json:"query_prepared"`

	CreateTime   *time.Time `json:"create_time"`
	FinishTime   *time.Time `json:"finish_time"`
	RollbackTime *time.Time `json:"rollback_time"`

	Branches []Branch `json:"-"`
}

// Branch is one operation of a branch.
type Branch struct {
	BranchID string `json:"branch_id"`
	Op       string `json:"op"`
	Status   string `json:"status"`
	URL      string `json:"url"`
}

// BranchStates are the rows in order: "01 compensate prepared".
func (t *Transaction) BranchStates() []string {
	states := []string{}
	for _, branch := range t.Branches {
		states = append(states, branch.BranchID+" "+branch.Op+" "+branch.Status)
	}
	return states
}

// Query asks for a transaction; nil when the server does not know it.
func (s *Troth) Query(tb TB, gid string) *Transaction {
	tb.Helper()
	code, body, err := s.Get("/api/dtmsvr/query?gid=" + url.QueryEscape(gid))
	if err != nil || code != http.StatusOK {
		tb.Fatalf("query %s: %d %s %v", gid, code, body, err)
	}
	var answer struct {
		Transaction *Transaction `json:"transaction"`
		Branches    []Branch     `json:"branches"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		tb.Fatalf("query %s: %v in %s", gid, err, body)
	}
	if answer.Transaction != nil {
		answer.Transaction.Branches = answer.Branches
	}
	return answer.Transaction
}

// Await waits until a transaction has the status and returns it.
func (s *Troth) Await(tb TB, gid, status string) *Transaction {
	tb.Helper()
	return s.AwaitWithin(tb, Patience, gid, status)
}

// AwaitWithin is Await with a deadline of its own.
func (s *Troth) AwaitWithin(tb TB, within time.Duration, gid, status string) *Transaction {
	tb.Helper()
	var transaction *Transaction
	EventuallyWithin(tb, within, gid+" is "+status, func() (string, bool) {
		transaction = s.Query(tb, gid)
		if transaction == nil {
			return "no such transaction", false
		}
		return transaction.Status, transaction.Status == status
	})
	return transaction
}

func (s *Troth) write(name, text string) {
	s.tb.Helper()
	if err := os.WriteFile(filepath.Join(s.Folder, name), []byte(text), 0o600); err != nil {
		s.tb.Fatalf("%v", err)
	}
}
