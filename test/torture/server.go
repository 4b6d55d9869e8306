package main

import (
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is troth as a process: in a folder and on ports of its own, started again after each death.
type server struct {
	program string
	folder  string
	store   string // the store's directory
	port    int

	mutex   sync.Mutex
	command *exec.Cmd
	ended   chan struct{}
	starts  int
}

const (
	startPatience = 60 * time.Second // opening replays up to 128 MB of log, on a busy machine
	pollInterval  = 5 * time.Millisecond
)

func newServer(program, folder, store string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	grpc, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{program: program, folder: folder, store: store, port: port}
	conf := fmt.Sprintf("HttpPort: %d\nGrpcPort: %d\nRetryInterval: 10\nTimeoutToFail: 10\nStore:\n  Path: %s\n",
		port, grpc, store)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(folder, "conf.yml"), []byte(conf), 0o600)
}

// freePort gives a port that is ours until we end: a bound socket keeps it, before the server listens on it
// and while it is dead. It lies below those that the system hands to outgoing connections.
func freePort() (int, error) {
	for tries := 0; tries < 1000; tries++ {
		port := 12000 + rand.Intn(8000)
		kept, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		if syscall.Bind(kept, &syscall.SockaddrInet4{Port: port}) == nil { // nobody has it, bound or listening
			return port, syscall.SetsockoptInt(kept, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		}
		_ = syscall.Close(kept)
	}
	return 0, fmt.Errorf("no free port between 12000 and 20000")
}

// start returns when it answers. With dieAt it may end before.
func (s *server) start(dieAt int) error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(s.program, "-c", "conf.yml")
	command.Dir, command.Stdout, command.Stderr = s.folder, log, log
	command.Env = append(os.Environ(), "TROTH_TORTURE_CONTROL="+s.control(), fmt.Sprintf("TROTH_TORTURE_DIE_AT=%d", dieAt))
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	s.mutex.Lock()
	s.command, s.ended = command, ended
	s.starts++
	s.mutex.Unlock()
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if !s.running() {
			if dieAt > 0 {
				return nil
			}
			return fmt.Errorf("troth ended at its start; see %s", s.log())
		}
		if answer, err := client.Get(s.url("/api/ping")); err == nil {
			answer.Body.Close()
			return nil
		}
	}
	return fmt.Errorf("troth does not answer after %v; see %s", startPatience, s.log())
}

func (s *server) log() string            { return filepath.Join(s.folder, "troth.log") }
func (s *server) control() string        { return filepath.Join(s.folder, "control") }
func (s *server) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path) }

func (s *server) running() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

func (s *server) pid() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.command.Process.Pid
}

func (s *server) signal(signal syscall.Signal) { _ = syscall.Kill(s.pid(), signal) }

// kill ends it at once and waits for that. Harmless when it has ended.
func (s *server) kill() {
	s.mutex.Lock()
	command, ended := s.command, s.ended
	s.mutex.Unlock()
	if command == nil {
		return
	}
	_ = command.Process.Kill()
	<-ended
}

// faults writes the control file that the server follows: "sync_fails 1".
func (s *server) faults(lines ...string) error {
	return os.WriteFile(s.control(), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// limit sets a resource limit of the running server, as prlimit(1) names it.
func (s *server) limit(what string) error {
	output, err := exec.Command("prlimit", "--pid", fmt.Sprint(s.pid()), "--"+what).CombinedOutput()
	if err != nil {
		return fmt.Errorf("prlimit --%s: %v: %s", what, err, output)
	}
	return nil
}

// client speaks to troth. Its connections break with the server, so none is kept for long.
var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 5 * time.Second},
}
