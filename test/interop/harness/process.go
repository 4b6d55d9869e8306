package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a program under test. Its output goes to a file, the end of which is shown when the test
// fails. It is killed when the test ends.
type Process struct {
	tb      TB
	command *exec.Cmd
	log     string
	ended   chan struct{}
	once    sync.Once
}

// ServerProgram is what to start for a server's program: the one in the folder that the environment variable
// TROTH_TEST_PROGRAMS names, to test with another version of it, or else the one on the PATH.
func ServerProgram(name string) string {
	program := filepath.Join(os.Getenv("TROTH_TEST_PROGRAMS"), name)
	if _, err := os.Stat(program); os.Getenv("TROTH_TEST_PROGRAMS") == "" || err != nil {
		return name
	}
	return program
}

// StartProcess runs a program in a folder; its log is <folder>/<name>.log, appended to on a restart.
func StartProcess(tb TB, name, folder, program string, arguments ...string) *Process {
	tb.Helper()
	path := filepath.Join(folder, name+".log")
	output, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatalf("open the log of %s: %v", name, err)
	}
	defer output.Close()
	command := exec.Command(program, arguments...)
	command.Dir, command.Stdout, command.Stderr = folder, output, output
	// The tests are killed, say by a timeout: so is what they started.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		tb.Fatalf("start %s: %v", program, err)
	}
	p := &Process{tb: tb, command: command, log: path, ended: make(chan struct{})}
	go func() {
		_ = command.Wait()
		close(p.ended)
	}()
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("end of %s's log:\n%s", name, p.LogTail())
		}
	})
	return p
}

// Kill ends the process at once (SIGKILL) and waits for that. Harmless when it has ended.
func (p *Process) Kill() {
	p.once.Do(func() { _ = p.command.Process.Kill() })
	<-p.ended
}

// Signal sends a signal and does not wait.
func (p *Process) Signal(signal syscall.Signal) { _ = p.command.Process.Signal(signal) }

// Running says whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ExitCode waits for the end of the process; -1 when a signal ended it.
func (p *Process) ExitCode(within time.Duration) int {
	p.tb.Helper()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(within):
		p.tb.Fatalf("%s is still running after %v", p.command.Path, within)
		return 0
	}
}

// Log is everything the process has written so far.
func (p *Process) Log() string {
	text, _ := os.ReadFile(p.log)
	return string(text)
}

// LogTail is the end of Log.
func (p *Process) LogTail() string {
	const linesMax, lineBytesMax = 40, 400
	lines := strings.Split(strings.TrimRight(p.Log(), "\n"), "\n")
	if len(lines) > linesMax {
		lines = lines[len(lines)-linesMax:]
	}
	for i, line := range lines {
		if len(line) > lineBytesMax {
			lines[i] = line[:lineBytesMax] + " ..."
		}
	}
	return strings.Join(lines, "\n")
}
