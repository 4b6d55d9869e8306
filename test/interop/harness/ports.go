package harness

import (
	"math/rand"
	"sync"
	"syscall"
	"time"
)

const lowestPort, portCount = 20000, 12000

var (
	portsMutex sync.Mutex
	portsRand  = rand.New(rand.NewSource(time.Now().UnixNano()))
)

// FreePort gives a port that is the test's until it ends: a bound socket keeps it, so that the system gives
// it to nobody else, neither before its server listens nor while that is killed and started again. A server
// that sets SO_REUSEADDR, as all do, may listen on it; until then connections to it are refused. It lies
// below those that the system hands to outgoing connections.
func FreePort(tb TB) int {
	tb.Helper()
	for tries := 0; tries < 10*portCount; tries++ {
		portsMutex.Lock()
		port := lowestPort + portsRand.Intn(portCount)
		portsMutex.Unlock()
		if kept, err := keepPort(port); err == nil {
			tb.Cleanup(func() { _ = syscall.Close(kept) })
			return port
		}
	}
	tb.Fatalf("no free port between %d and %d", lowestPort, lowestPort+portCount)
	return 0
}

// keepPort fails where anybody has the port, bound or listening: two processes never get the same. That
// servers may share it is said after that.
func keepPort(port int) (int, error) {
	kept, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = syscall.Bind(kept, &syscall.SockaddrInet4{Port: port})
	if err == nil {
		err = syscall.SetsockoptInt(kept, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err != nil {
		_ = syscall.Close(kept)
	}
	return kept, err
}
