package harness

import (
	"database/sql"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
)

// stopper ends a server at once.
type stopper struct{ stop func() }

func serveBankHTTP(b *Bank) stopper {
	b.tb.Helper()
	listener, err := net.Listen("tcp", strings.TrimPrefix(b.URL, "http://"))
	if err != nil {
		b.tb.Fatalf("the bank cannot listen: %v", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(b.handleHTTP)}
	go func() { _ = server.Serve(listener) }()
	return stopper{func() { _ = server.Close() }}
}

func (b *Bank) handleHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	query := r.URL.Query()
	call := Call{
		Gid: query.Get("gid"), TransType: query.Get("trans_type"), Branch: query.Get("branch_id"),
		Op: query.Get("op"), Method: r.Method + " " + r.URL.Path, Payload: string(body),
	}
	if err := b.script.answer(r.Context(), call); err != nil {
		writeAnswer(w, err)
		return
	}
	if err := b.doHTTP(r, body); err != nil {
		code, answer := dtmcli.Result2HttpJSON(err)
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	writeAnswer(w, nil)
}

func (b *Bank) doHTTP(r *http.Request, body []byte) error {
	entry, delta, query := Entry{}, int64(0), r.URL.Query()
	if len(body) > 0 { // not in a check-back, nor in the second phase of an XA
		if err := json.Unmarshal(body, &entry); err != nil {
			return err
		}
		delta = entry.Amount
		if r.URL.Path == "/out" {
			delta = -delta
		}
	}
	if query.Get("trans_type") == "xa" {
		return b.MariaDB.AwaitDetached(func(connection *int64) error {
			return dtmcli.XaLocalTransaction(query, b.MariaDB.Conf, func(db *sql.DB, _ *dtmcli.Xa) error {
				return bookXa(db, connection, entry.Account, delta)
			})
		})
	}
	barrier, err := dtmcli.BarrierFromQuery(query)
	if err != nil {
		return err
	}
	return b.underBarrier(barrier, entry.Account, delta)
}
