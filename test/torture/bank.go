package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// transfer moves an amount from one account to another, in one of the modes.
type transfer struct {
	gid     string
	mode    string // msg, saga, tcc
	from    int
	to      int
	amount  int64
	refused bool // the receiving side refuses; a msg cannot be refused
}

// bank is both participants and the ledger. Every operation goes through a barrier like the one of dtm's
// clients: it takes effect once, an undo that comes first makes what it would undo void.
type bank struct {
	address string

	mutex     sync.Mutex
	transfers map[string]*transfer
	seen      map[string]bool // "gid/branch/op"
	applied   map[string]int  // "gid/branch": how often its amount is booked, net
	balances  []int64

	calls, repeated, void int64
	trouble               atomic.Int64 // one call in so many fails without being done; 0: none
}

const (
	accounts       = 64
	openingBalance = 1_000_000_000
)

// undoes says what an operation takes back.
var undoes = map[string]string{"compensate": "action", "cancel": "try"}

func newBank() (*bank, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bank{
		address:   "http://" + listener.Addr().String(),
		transfers: map[string]*transfer{}, seen: map[string]bool{}, applied: map[string]int{},
		balances: make([]int64, accounts),
	}
	for i := range b.balances {
		b.balances[i] = openingBalance
	}
	go func() { _ = (&http.Server{Handler: http.HandlerFunc(b.serve)}).Serve(listener) }()
	return b, nil
}

func (b *bank) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if every := b.trouble.Load(); every > 0 && time.Now().UnixNano()%every == 0 {
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	if b.book(query.Get("gid"), query.Get("branch_id"), query.Get("op")) {
		fmt.Fprint(w, `{"dtm_result":"SUCCESS"}`)
	} else {
		http.Error(w, `{"dtm_result":"FAILURE"}`, http.StatusConflict)
	}
}

// open makes a transfer known before anybody is asked for it.
func (b *bank) open(t *transfer) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.transfers[t.gid] = t
}

// book does an operation of a branch, or finds it done; false: it is refused.
func (b *bank) book(gid, branch, op string) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.calls++
	t := b.transfers[gid]
	if t == nil || op == "msg" {
		return false // nobody began it; a check-back is never a yes here
	}
	key := gid + "/" + branch + "/"
	origin := undoes[op]
	void := origin != "" && !b.seen[key+origin]
	if origin != "" {
		b.seen[key+origin] = true
	}
	if b.seen[key+op] {
		b.repeated++
		return true
	}
	if (op == "action" || op == "try") && branch == "02" && t.refused {
		return false
	}
	b.seen[key+op] = true
	if void {
		b.void++
		return true
	}
	b.apply(t, branch, op)
	return true
}

// apply moves money. A tcc moves it when it confirms; what it tried and cancels has moved none.
func (b *bank) apply(t *transfer, branch, op string) {
	sign := 0
	switch op {
	case "action", "confirm":
		sign = 1
	case "compensate":
		sign = -1
	}
	b.applied[t.gid+"/"+branch] += sign
	if branch == "01" {
		b.balances[t.from] -= int64(sign) * t.amount
	} else {
		b.balances[t.to] += int64(sign) * t.amount
	}
}

// appliedOf tells how often each side of a transfer is booked, net.
func (b *bank) appliedOf(gid string) (out, in int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.applied[gid+"/01"], b.applied[gid+"/02"]
}

func (b *bank) total() int64 {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	sum := int64(0)
	for _, balance := range b.balances {
		sum += balance
	}
	return sum
}
