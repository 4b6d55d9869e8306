package stores

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// bank keeps what each transaction did to its two accounts, in memory, under the rules of the client's
// barrier: an operation takes effect once, a compensation undoes only what was done, an action that comes
// after its compensation does nothing. It is slow enough for two servers to meet in it.
type bank struct {
	url string

	mutex    sync.Mutex
	branches map[string]*branch // by "gid branch"
	calls    map[string]*callLog
	overlaps []string // operations that were under way twice at once
}

type branch struct {
	amount   int64 // what stays booked
	reserved int64 // by a try, until confirm or cancel
	done     map[string]bool
}

// callLog is when an operation was called, and when it was answered with success first.
type callLog struct {
	open     int
	starts   []time.Time
	answered time.Time
}

const workTime = 3 * time.Millisecond

func startBank(t *testing.T) *bank {
	t.Helper()
	b := &bank{branches: map[string]*branch{}, calls: map[string]*callLog{}}
	server := httptest.NewServer(b)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b.url = server.URL
	return b
}

type booking struct {
	Amount int64 `json:"amount"`
	Refuse bool  `json:"refuse"`
}

// ServeHTTP does POST /<service>?gid=&branch_id=&op=.
func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	gid, id, op := query.Get("gid"), query.Get("branch_id"), query.Get("op")
	var what booking
	if err := json.NewDecoder(r.Body).Decode(&what); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	key := strings.Join([]string{gid, id, op}, " ")
	b.begin(key)
	time.Sleep(workTime) // the work
	ok := b.book(gid+" "+id, op, what)
	b.end(key, ok)
	if !ok {
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprint(w, `{"dtm_result":"FAILURE"}`)
		return
	}
	_, _ = fmt.Fprint(w, `{"dtm_result":"SUCCESS"}`)
}

func (b *bank) begin(key string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	log := b.calls[key]
	if log == nil {
		log = &callLog{}
		b.calls[key] = log
	}
	if log.open > 0 {
		b.overlaps = append(b.overlaps, key)
	}
	log.open++
	log.starts = append(log.starts, time.Now())
}

func (b *bank) end(key string, ok bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	log := b.calls[key]
	log.open--
	if ok && log.answered.IsZero() {
		log.answered = time.Now()
	}
}

// book does the operation once; false when it is refused.
func (b *bank) book(name, op string, what booking) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	x := b.branches[name]
	if x == nil {
		x = &branch{done: map[string]bool{}}
		b.branches[name] = x
	}
	undo := map[string]string{"action": "compensate", "try": "cancel"}[op]
	if x.done[op] || (undo != "" && x.done[undo]) {
		return true
	}
	if what.Refuse && undo != "" {
		return false
	}
	switch op {
	case "action":
		x.amount = what.Amount
	case "compensate":
		x.amount = 0
	case "try":
		x.reserved = what.Amount
	case "confirm":
		x.amount, x.reserved = x.reserved, 0
	case "cancel":
		x.reserved = 0
	}
	x.done[op] = true
	return true
}

// effect is what a transaction has done to its accounts: "-30 30", or "0 0".
func (b *bank) effect(gid string) string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	amounts := [2]string{"0", "0"}
	for i, id := range []string{"01", "02"} {
		if x := b.branches[gid+" "+id]; x != nil {
			amounts[i] = fmt.Sprint(x.amount)
			if x.reserved != 0 {
				amounts[i] += "(reserved)"
			}
		}
	}
	return amounts[0] + " " + amounts[1]
}

// repeats are operations of servers that were called again after they had succeeded, for which
// `excused` does not find a reason between both calls.
func (b *bank) repeats(excused func(from, to time.Time) bool) []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	found := []string{}
	for key, log := range b.calls {
		if strings.HasSuffix(key, " try") { // the client calls it
			continue
		}
		for i := 1; i < len(log.starts); i++ {
			again := log.starts[i]
			if !log.answered.IsZero() && log.answered.Before(again) && !excused(log.starts[0], again) {
				found = append(found, fmt.Sprintf("%s after %v", key, again.Sub(log.answered)))
			}
		}
	}
	return found
}
