package harness

import (
	"fmt"
	"net"
	"sync"
)

// Proxy stands between two parties and can cut them off from each other: Hold keeps connections and
// lets nothing through, as a network does that loses every packet.
type Proxy struct {
	Address string // host:port

	target   string
	listener net.Listener

	mutex       sync.Mutex
	changed     *sync.Cond
	holding     bool
	closed      bool
	connections map[net.Conn]bool
}

// StartProxy forwards to a host:port until the test ends.
func StartProxy(tb TB, target string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", FreePort(tb)))
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	p := &Proxy{
		Address: listener.Addr().String(), target: target, listener: listener,
		connections: map[net.Conn]bool{},
	}
	p.changed = sync.NewCond(&p.mutex)
	go p.accept()
	tb.Cleanup(p.close)
	return p
}

// Hold lets nothing through from now on.
func (p *Proxy) Hold() { p.set(true) }

// Release lets everything through again, what was held back first.
func (p *Proxy) Release() { p.set(false) }

func (p *Proxy) set(holding bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.holding = holding
	p.changed.Broadcast()
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			if !p.pass() {
				_ = near.Close()
				return
			}
			far, err := net.Dial("tcp", p.target)
			if err != nil {
				_ = near.Close()
				return
			}
			p.keep(near, far)
			go p.copy(near, far)
			p.copy(far, near)
		}()
	}
}

func (p *Proxy) keep(connections ...net.Conn) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, connection := range connections {
		p.connections[connection] = true
	}
}

// pass waits while the proxy holds; false when it has ended.
func (p *Proxy) pass() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for p.holding && !p.closed {
		p.changed.Wait()
	}
	return !p.closed
}

func (p *Proxy) copy(to, from net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if !p.pass() || err != nil {
			break
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.closed = true
	p.changed.Broadcast()
	for connection := range p.connections {
		_ = connection.Close()
	}
}
