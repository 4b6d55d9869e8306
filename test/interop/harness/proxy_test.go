package harness

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// startEcho answers every byte with the same and counts them.
func startEcho(t *testing.T) (address string, received chan byte) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received = make(chan byte, 16)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				letter := make([]byte, 1)
				for {
					if _, err := io.ReadFull(connection, letter); err != nil {
						return
					}
					received <- letter[0]
					_, _ = connection.Write(letter)
				}
			}()
		}
	}()
	return listener.Addr().String(), received
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(Patience))
	return connection
}

// ask sends a byte and reads one back.
func ask(connection net.Conn) error {
	if _, err := connection.Write([]byte("x")); err != nil {
		return err
	}
	answer := make([]byte, 1)
	_, err := io.ReadFull(connection, answer)
	return err
}

func TestProxyCutsConnectionsAndTakesNewOnes(t *testing.T) {
	address, _ := startEcho(t)
	proxy := StartProxy(t, address)
	first := dial(t, proxy.Address)
	if err := ask(first); err != nil {
		t.Fatal(err)
	}
	proxy.Cut()
	if err := ask(first); err == nil {
		t.Fatal("the connection was not cut")
	}
	if err := ask(dial(t, proxy.Address)); err != nil {
		t.Fatal(err)
	}
	if proxy.Cuts() != 1 {
		t.Fatalf("cuts: %d", proxy.Cuts())
	}
}

func TestProxyLosesAnswersOfWhatWasDone(t *testing.T) {
	address, received := startEcho(t)
	proxy := StartProxy(t, address)
	proxy.LoseAnswers(true)
	if err := ask(dial(t, proxy.Address)); err == nil {
		t.Fatal("the answer was not lost")
	}
	if got := <-received; got != 'x' {
		t.Fatalf("received: %q", got)
	}
	proxy.LoseAnswers(false)
	if err := ask(dial(t, proxy.Address)); err != nil {
		t.Fatal(err)
	}
}

func TestProxyHoldsAndSlowsDown(t *testing.T) {
	address, received := startEcho(t)
	proxy := StartProxy(t, address)
	connection := dial(t, proxy.Address)
	if err := ask(connection); err != nil {
		t.Fatal(err)
	}
	<-received
	proxy.Hold()
	done := make(chan error, 1)
	go func() { done <- ask(connection) }()
	During(t, 100*time.Millisecond, "something came through", func() (string, bool) {
		return fmt.Sprint(len(received)), len(received) == 0
	})
	proxy.Release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	const delay = 30 * time.Millisecond
	proxy.SlowDown(delay)
	start := time.Now()
	if err := ask(connection); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*delay {
		t.Fatalf("both directions took only %v", took)
	}
}
