package stores

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// balancer hands every request to the next server, whatever transaction it belongs to, as a load balancer
// in front of several troth does. What a server that is gone did not take, the next one gets.
type balancer struct {
	base    string // http://host:port
	servers []*harness.Troth
	next    int64
	client  http.Client
}

func startBalancer(t *testing.T, servers []*harness.Troth) *balancer {
	t.Helper()
	b := &balancer{servers: servers}
	b.client.Timeout = harness.Patience
	b.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.base = server.URL
	return b
}

// dtm is the address that clients are told.
func (b *balancer) dtm() string { return b.base + "/api/dtmsvr" }

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	response, err := b.forward(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

func (b *balancer) forward(r *http.Request, body []byte) (*http.Response, error) {
	var err error
	for range b.servers {
		server := b.servers[atomic.AddInt64(&b.next, 1)%int64(len(b.servers))]
		url := fmt.Sprintf("http://127.0.0.1:%d%s", server.HTTPPort, r.URL.RequestURI())
		var request *http.Request
		if request, err = http.NewRequestWithContext(r.Context(), r.Method, url, bytes.NewReader(body)); err != nil {
			return nil, err
		}
		request.Header = r.Header.Clone()
		var response *http.Response
		if response, err = b.client.Do(request); err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
			return response, err
		}
	}
	return nil, err
}

// query is what some server tells of a transaction: its status, "" when there is no such transaction.
func (b *balancer) query(gid string) (status string, err error) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(b.dtm() + "/query?gid=" + gid)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	return readStatus(response)
}
