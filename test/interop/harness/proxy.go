package harness

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// Proxy stands between two parties and does to them what networks do: it holds everything back, cuts
// connections, loses answers to requests that arrived, or is slow. Faults apply to connections there are
// and to new ones, until they are taken back.
type Proxy struct {
	Address string // host:port
	Host    string
	Port    int

	target   string
	listener net.Listener

	mutex       sync.Mutex
	changed     *sync.Cond
	holding     bool
	closed      bool
	losing      bool
	delay       time.Duration
	cuts        int // connections that were cut or lost an answer
	connections map[net.Conn]bool
}

// StartProxy forwards to a host:port until the test ends.
func StartProxy(tb TB, target string) *Proxy {
	tb.Helper()
	port := FreePort(tb)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	p := &Proxy{
		Address: listener.Addr().String(), Host: "127.0.0.1", Port: port, target: target, listener: listener,
		connections: map[net.Conn]bool{},
	}
	p.changed = sync.NewCond(&p.mutex)
	go p.accept()
	tb.Cleanup(p.close)
	return p
}

// Hold lets nothing through from now on, as a network does that loses every packet.
func (p *Proxy) Hold() { p.set(func() { p.holding = true }) }

// Release lets everything through again, what was held back first.
func (p *Proxy) Release() { p.set(func() { p.holding = false }) }

// Cut closes every connection there is; what was under way either way is lost. New ones are let through.
func (p *Proxy) Cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for connection := range p.connections {
		_ = connection.Close()
	}
	p.cuts += len(p.connections) / 2
}

// LoseAnswers, when on, lets requests through and cuts a connection as soon as the target answers on it:
// what was asked for was done, and nobody hears of it.
func (p *Proxy) LoseAnswers(on bool) { p.set(func() { p.losing = on }) }

// SlowDown passes every piece on this much later, in both directions; 0: at once again.
func (p *Proxy) SlowDown(delay time.Duration) { p.set(func() { p.delay = delay }) }

// Cuts is how many connections were cut or lost an answer.
func (p *Proxy) Cuts() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.cuts
}

func (p *Proxy) set(change func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.forward(near)
	}
}

func (p *Proxy) forward(near net.Conn) {
	defer near.Close()
	if !p.pass(false) {
		return
	}
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer far.Close()
	p.keep(near, far)
	defer p.forget(near, far)
	go p.copy(near, far, true)
	p.copy(far, near, false)
}

func (p *Proxy) keep(connections ...net.Conn) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, connection := range connections {
		p.connections[connection] = true
	}
}

func (p *Proxy) forget(connections ...net.Conn) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, connection := range connections {
		delete(p.connections, connection)
	}
}

// pass waits while the proxy holds; false when the connection is to end here.
func (p *Proxy) pass(answer bool) bool {
	p.mutex.Lock()
	delay := p.delay
	p.mutex.Unlock()
	time.Sleep(delay)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for p.holding && !p.closed {
		p.changed.Wait()
	}
	if answer && p.losing {
		p.cuts++
		return false
	}
	return !p.closed
}

func (p *Proxy) copy(to, from net.Conn, answers bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || !p.pass(answers) {
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
