package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type torture struct {
	name string
	do   func(*run) error
}

var torments = []torture{
	{"kill", killed},
	{"each-write", killedAtEachWrite},
	{"stop", stopped},
	{"sync-error", syncFails},
	{"slow-disk", slowDisk},
	{"disk-full", diskFull},
	{"files", outOfFiles},
	{"memory", outOfMemory},
	{"clock", clockJumps},
}

// killed: SIGKILL at random moments, until there were enough kills and acknowledgements.
func killed(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.load("{}")
	perKill := int64(r.o.transactions / max(r.o.kills, 1))
	for ; r.times < r.o.kills; r.times++ {
		want := r.clients.acknowledged.Load() + perKill/2 + 1 + r.random.Int63n(perKill+1)
		for r.clients.acknowledged.Load() < want && r.server.running() {
			time.Sleep(pollInterval)
		}
		if err := r.reviveIfDead(); err != nil {
			return err
		}
		r.server.kill()
		if err := r.server.start(0); err != nil {
			return err
		}
	}
	for r.clients.acknowledged.Load() < int64(r.o.transactions) {
		time.Sleep(pollInterval)
	}
	return r.end()
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// killedAtEachWrite: with a fresh store each time, the server dies at the 1st, 2nd, 3rd ... point of the
// writes of its start and of three transfers, until it lives through them. Then it is started again.
func killedAtEachWrite(r *run) error {
	step := 1
	if r.o.writes > 0 {
		step = 2 + r.random.Intn(5)
	}
	for point := r.o.firstWrite; r.o.writes == 0 || r.times < r.o.writes; point += step {
		died, err := r.dieAt(point)
		if err != nil {
			return fmt.Errorf("point %d: %v", point, err)
		}
		if !died {
			break
		}
		r.times++
	}
	return nil
}

func (r *run) dieAt(point int) (bool, error) {
	folder := filepath.Join(r.folder, strconv.Itoa(point))
	var err error
	if r.bank, err = newBank(); err != nil {
		return false, err
	}
	starts := 0
	if r.server != nil {
		starts = r.server.starts
	}
	if r.server, err = newServer(r.o.program, folder, filepath.Join(folder, "store")); err != nil {
		return false, err
	}
	r.server.starts = starts
	if err := r.server.start(point); err != nil {
		return false, err
	}
	c := &clients{server: r.server, bank: r.bank, prefix: fmt.Sprint("w", point), payload: "{}"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i, mode := range []string{"msg", "saga", "tcc"} {
			c.one(&transfer{gid: fmt.Sprintf("w%d-%d", point, i), mode: mode, to: 1, amount: 1, refused: mode == "saga"})
		}
	}()
	died := r.awaitDeath(c, done)
	if died {
		r.server.kill()
		if err := r.server.start(0); err != nil {
			return true, err
		}
	}
	<-done
	r.judgeAll(c)
	r.server.kill()
	if len(r.violations) == 0 {
		_ = os.RemoveAll(folder)
	}
	return died, nil
}

// awaitDeath: false when all transfers have ended and the server still lives.
func (r *run) awaitDeath(c *clients, done chan struct{}) bool {
	for {
		if !r.server.running() {
			return true
		}
		select {
		case <-done:
			audit(r.server, r.bank, c.promises)
			return !r.server.running()
		case <-time.After(pollInterval):
		}
	}
}

// stopped: SIGSTOP, and SIGCONT after longer than leases and timeouts last, or soon.
func stopped(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.load("{}")
	for rounds := r.rounds(10); r.times < rounds; r.times++ {
		time.Sleep(r.between(200*time.Millisecond, time.Second))
		r.server.signal(syscall.SIGSTOP)
		pause := r.between(50*time.Millisecond, 2*time.Second)
		if r.times%5 == 4 {
			pause = 12 * time.Second
		}
		time.Sleep(pause)
		r.server.signal(syscall.SIGCONT)
	}
	return r.end()
}

// syncFails: a sync reports an error and what it should have kept is gone. From then on nothing may be
// acknowledged until the server was started again.
func syncFails(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.load("{}")
	for rounds := r.rounds(10); r.times < rounds; r.times++ {
		time.Sleep(r.between(300*time.Millisecond, time.Second))
		if err := r.server.faults("sync_fails 1"); err != nil {
			return err
		}
		if err := r.awaitRefusals(); err != nil {
			return err
		}
		// Syncs work again, but the server must not believe it.
		if err := r.server.faults(); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		before := r.clients.acknowledged.Load()
		time.Sleep(500 * time.Millisecond)
		if after := r.clients.acknowledged.Load(); after != before {
			r.violations = append(r.violations, fmt.Sprintf("%d acknowledgements after a failed sync", after-before))
		}
		r.server.kill()
		if err := r.server.start(0); err != nil {
			return err
		}
	}
	return r.end()
}

// awaitRefusals waits until requests are refused.
func (r *run) awaitRefusals() error {
	refused := r.clients.refused.Load() + workers
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if r.clients.refused.Load() > refused {
			return nil
		}
	}
	return fmt.Errorf("requests are still acknowledged although the store cannot keep them")
}

// awaitAcknowledgements waits until requests are acknowledged again.
func (r *run) awaitAcknowledgements() error {
	wanted := r.clients.acknowledged.Load() + workers
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if r.clients.acknowledged.Load() > wanted {
			return nil
		}
		if r.mayDie {
			if err := r.reviveIfDead(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("nothing is acknowledged although the trouble is over")
}

// slowDisk: each sync takes up to half a second longer.
func slowDisk(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.load("{}")
	for rounds := r.rounds(10); r.times < rounds; r.times++ {
		if err := r.server.faults(fmt.Sprintf("sync_delay_ms %d", 1+r.random.Intn(500))); err != nil {
			return err
		}
		time.Sleep(r.between(500*time.Millisecond, 2*time.Second))
	}
	if err := r.server.faults(); err != nil {
		return err
	}
	if err := r.awaitAcknowledgements(); err != nil {
		return err
	}
	return r.end()
}

// diskFull: the store's own small file system is filled to the last byte, and has room again.
func diskFull(r *run) error {
	disk := filepath.Join(r.folder, "disk")
	if err := os.MkdirAll(disk, 0o700); err != nil {
		return err
	}
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk).CombinedOutput(); err != nil {
		r.notRun = "needs root to mount a small file system: " + strings.TrimSpace(string(output))
		return nil
	}
	defer func() {
		r.server.kill()
		_ = exec.Command("umount", disk).Run()
	}()
	if err := r.begin(filepath.Join(disk, "store")); err != nil {
		return err
	}
	// Large ones, since RocksDB has room for some seconds of small ones set aside.
	r.load(strings.Repeat("x", 50_000))
	rounds := 6
	if r.o.quick {
		rounds = 1
	}
	for ; r.times < rounds; r.times++ {
		time.Sleep(r.between(200*time.Millisecond, time.Second))
		filler := filepath.Join(disk, "filler")
		_ = exec.Command("dd", "if=/dev/zero", "of="+filler, "bs=1M").Run() // ends when nothing fits
		if err := r.awaitRefusals(); err != nil {
			return err
		}
		killedWhileFull := r.times%2 == 1
		if killedWhileFull {
			r.server.kill()
		}
		if err := os.Remove(filler); err != nil {
			return err
		}
		if killedWhileFull {
			if err := r.server.start(0); err != nil {
				return err
			}
		}
		if err := r.awaitAcknowledgements(); err != nil {
			return err
		}
	}
	return r.end()
}

// outOfFiles: no further file or socket can be opened, while connections are asked for.
func outOfFiles(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.mayDie = true
	r.load("{}")
	for rounds := r.rounds(5); r.times < rounds; r.times++ {
		time.Sleep(300 * time.Millisecond)
		if err := r.server.limit("nofile=24:"); err != nil {
			return err
		}
		crowd := r.crowd(100)
		time.Sleep(r.between(500*time.Millisecond, 2*time.Second))
		for _, connection := range crowd {
			connection.Close()
		}
		if err := r.liftLimit("nofile=1024:"); err != nil {
			return err
		}
		if err := r.awaitAcknowledgements(); err != nil {
			return err
		}
	}
	return r.end()
}

// crowd opens connections that ask for nothing.
func (r *run) crowd(size int) []net.Conn {
	crowd := []net.Conn{}
	for i := 0; i < size; i++ {
		connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", r.server.port), time.Second)
		if err == nil {
			crowd = append(crowd, connection)
		}
	}
	return crowd
}

// outOfMemory: nothing more can be allocated, while large payloads come in. The server may die of it.
func outOfMemory(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.mayDie = true
	r.load(strings.Repeat("x", 50_000))
	rounds := 5
	if r.o.quick {
		rounds = 1
	}
	for ; r.times < rounds; r.times++ {
		time.Sleep(300 * time.Millisecond)
		if err := r.server.limit("as=64000000:"); err != nil { // less than it has already
			return err
		}
		time.Sleep(r.between(500*time.Millisecond, 2*time.Second))
		if err := r.liftLimit("as=unlimited:"); err != nil {
			return err
		}
		if err := r.awaitAcknowledgements(); err != nil {
			return err
		}
	}
	return r.end()
}

// clockJumps: the machine's clock is set forth and back. What was put off while it was fast is due that much
// later once it is right again.
func clockJumps(r *run) error {
	if err := r.begin(filepath.Join(r.folder, "store")); err != nil {
		return err
	}
	r.load("{}")
	seconds := 60
	if r.o.quick {
		seconds = 5
	}
	for rounds := 5 * r.rounds(10); r.times < rounds; r.times++ {
		if err := r.server.faults(fmt.Sprintf("clock_offset_s %d", r.random.Intn(2*seconds)-seconds)); err != nil {
			return err
		}
		time.Sleep(r.between(50*time.Millisecond, 300*time.Millisecond))
	}
	return r.end()
}
