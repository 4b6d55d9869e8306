package harness

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// StartHTTP starts a service that answers POST and GET on every path by a script, and returns its
// base URL.
func StartHTTP(tb TB, script *Script) string {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		query := r.URL.Query()
		call := Call{
			Gid:       query.Get("gid"),
			TransType: query.Get("trans_type"),
			Branch:    query.Get("branch_id"),
			Op:        query.Get("op"),
			Method:    r.Method + " " + r.URL.Path,
			Payload:   string(body),
			Headers:   map[string]string{},
		}
		for name, values := range r.Header {
			call.Headers[strings.ToLower(name)] = values[0]
		}
		writeAnswer(w, script.answer(r.Context(), call))
	}))
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func writeAnswer(w http.ResponseWriter, err error) {
	var scripted *answer
	switch {
	case errors.As(err, &scripted):
		w.WriteHeader(scripted.http)
		_, _ = io.WriteString(w, scripted.reason)
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, err.Error())
	default:
		_, _ = io.WriteString(w, `{"dtm_result":"SUCCESS"}`)
	}
}
