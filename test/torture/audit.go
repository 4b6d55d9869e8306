package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// verdict counts what became of the transfers of a run.
type verdict struct {
	succeeded, failed, unknown int
	violations                 []string
}

const (
	settlePatience = 120 * time.Second
	violationsMax  = 20 // told; there is no use in more
	askers         = 8
)

// audit waits until every transfer has ended and compares it with what was promised and what is booked.
func audit(s *server, b *bank, promises []*promise) verdict {
	var v verdict
	var mutex sync.Mutex
	var running sync.WaitGroup
	deadline := time.Now().Add(settlePatience)
	for asker := 0; asker < askers; asker++ {
		running.Add(1)
		go func(first int) {
			defer running.Done()
			for i := first; i < len(promises); i += askers {
				status := awaitEnd(s, promises[i], deadline)
				complaint := judge(b, promises[i], status)
				mutex.Lock()
				v.count(status, complaint)
				mutex.Unlock()
			}
		}(asker)
	}
	running.Wait()
	if total := b.total(); total != accounts*openingBalance {
		v.violations = append(v.violations, fmt.Sprintf("the ledger holds %d too much", total-accounts*openingBalance))
	}
	return v
}

func (v *verdict) count(status, complaint string) {
	switch status {
	case "succeed":
		v.succeeded++
	case "failed":
		v.failed++
	case "":
		v.unknown++
	}
	if complaint != "" && len(v.violations) < violationsMax {
		v.violations = append(v.violations, complaint)
	}
}

// awaitEnd gives the final status, "" for a transaction that troth does not know.
func awaitEnd(s *server, p *promise, deadline time.Time) string {
	for {
		status, err := query(s, p.t.gid)
		if err == nil && (status == "" || status == "succeed" || status == "failed") {
			return status
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("%s %v", status, err)
		}
		time.Sleep(pollInterval)
	}
}

func query(s *server, gid string) (string, error) {
	answer, err := client.Get(s.url("/api/dtmsvr/query?gid=" + gid))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("query answers %d", answer.StatusCode)
	}
	var told struct {
		Transaction *struct{ Status string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil || told.Transaction == nil {
		return "", err
	}
	return told.Transaction.Status, nil
}

// judge says what is wrong with the end of a transfer; "": nothing.
func judge(b *bank, p *promise, status string) string {
	out, in := b.appliedOf(p.t.gid)
	told := fmt.Sprintf("%s (%s, refused %v, %+v): status %q, booked out %d, in %d",
		p.t.gid, p.t.mode, p.t.refused, *p, status, out, in)
	switch {
	case status == "" && p.known:
		return told + ": acknowledged and lost"
	case status == "" && (out != 0 || in != 0):
		return told + ": booked, but troth does not know it"
	case status == "":
		return ""
	case status != "succeed" && status != "failed":
		return told + ": has not ended"
	case status == "succeed" && (out != 1 || in != 1), status == "failed" && (out != 0 || in != 0):
		return told + ": not whole"
	case status == "succeed" && (p.aborted || p.t.refused), status == "failed" && p.submitted && !p.t.refused:
		return told + ": not what was promised"
	}
	return ""
}
