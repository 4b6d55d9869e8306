package interop

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// stream submits one message after another at a steady pace, until it is ended.
type stream struct {
	world *world
	stop  chan struct{}
	done  sync.WaitGroup

	mutex sync.Mutex
	gids  []string
	err   error
}

func (w *world) startStream(t *testing.T) *stream {
	t.Helper()
	s := &stream{world: w, stop: make(chan struct{})}
	s.done.Add(1)
	prefix := newGid(t)
	go func() {
		defer s.done.Done()
		pace := time.NewTicker(5 * time.Millisecond)
		defer pace.Stop()
		for i := 0; s.running(); i++ {
			<-pace.C
			gid := fmt.Sprintf("%s-%d", prefix, i)
			msg := newMsg(w.server.GRPC, trans, gid)
			msg.WaitResult, msg.RequestTimeout = false, 2
			s.add(gid, msg.Submit())
		}
	}()
	t.Cleanup(func() { s.end() })
	return s
}

func (s *stream) running() bool {
	select {
	case <-s.stop:
		return false
	default:
		return true
	}
}

func (s *stream) add(gid string, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.gids = append(s.gids, gid)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("submit %s: %w", gid, err)
	}
}

func (s *stream) state() (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.gids), s.err
}

// awaitMore waits until n more messages have been accepted.
func (s *stream) awaitMore(t *testing.T, n int) {
	t.Helper()
	begin, _ := s.state()
	harness.Eventually(t, fmt.Sprintf("%d more messages", n), func() (string, bool) {
		now, err := s.state()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(now - begin), now >= begin+n
	})
}

// awaitInstance waits until one of the stream's branches was called on an instance.
func (s *stream) awaitInstance(t *testing.T, name string) {
	t.Helper()
	harness.Eventually(t, name+" is called", func() (string, bool) {
		instances := s.world.script.Instances()
		return fmt.Sprint(instances), instances[name] > 0
	})
}

// end stops the stream; the gids of all its messages. Harmless when repeated.
func (s *stream) end() []string {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.done.Wait()
	return s.gids
}
