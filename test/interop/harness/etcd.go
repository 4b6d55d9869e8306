package harness

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Etcd is an etcd server of the test's own. It keeps its data and its port when it is stopped and
// started again.
type Etcd struct {
	Address string // host:port

	tb      TB
	folder  string
	peer    string
	scheme  string
	extra   []string // further flags
	process *Process
	client  *clientv3.Client
}

// StartEtcd returns when it serves.
func StartEtcd(tb TB) *Etcd {
	tb.Helper()
	e := NewEtcd(tb)
	e.Start()
	return e
}

// NewEtcd reserves the address of an etcd that Start starts later.
func NewEtcd(tb TB) *Etcd {
	tb.Helper()
	e := &Etcd{
		Address: fmt.Sprintf("127.0.0.1:%d", FreePort(tb)),
		tb:      tb,
		folder:  tb.TempDir(),
		peer:    fmt.Sprintf("http://127.0.0.1:%d", FreePort(tb)),
		scheme:  "http",
	}
	e.client = e.NewClient(tb, nil)
	return e
}

// StartSecureEtcd starts one that speaks TLS, and only with clients that show a certificate.
func StartSecureEtcd(tb TB, certificates *Certificates) *Etcd {
	tb.Helper()
	e := NewEtcd(tb)
	e.scheme = "https"
	e.extra = []string{
		"--cert-file", certificates.Server, "--key-file", certificates.ServerKey,
		"--trusted-ca-file", certificates.CA, "--client-cert-auth",
	}
	e.client = e.NewClient(tb, certificates.ClientConfig())
	e.Start()
	return e
}

// NewClient is etcd's own client, for registries of Kratos; without TLS when that is nil.
func (e *Etcd) NewClient(tb TB, secure *tls.Config) *clientv3.Client {
	tb.Helper()
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{e.Address},
		Logger:    quietLogger(),
		TLS:       secure,
	})
	if err != nil {
		tb.Fatalf("etcd client for %s: %v", e.Address, err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// Start starts it, again after Stop, and waits until it serves.
func (e *Etcd) Start() {
	e.tb.Helper()
	own := e.scheme + "://" + e.Address
	e.process = StartProcess(e.tb, "etcd", e.folder, "etcd", append([]string{
		"--data-dir", filepath.Join(e.folder, "data"),
		"--listen-client-urls", own, "--advertise-client-urls", own,
		"--listen-peer-urls", e.peer, "--initial-advertise-peer-urls", e.peer,
		"--initial-cluster", "default=" + e.peer,
	}, e.extra...)...)
	Eventually(e.tb, "etcd serves", func() (string, bool) {
		if !e.process.Running() {
			e.tb.Fatalf("etcd ended:\n%s", e.process.LogTail())
		}
		// The port first: the client waits long before it dials again.
		connection, err := net.Dial("tcp", e.Address)
		if err != nil {
			return err.Error(), false
		}
		_ = connection.Close()
		_, err = e.values("/", 3*time.Second)
		return fmt.Sprint(err), err == nil
	})
}

// Stop kills it, as a crash would.
func (e *Etcd) Stop() { e.process.Kill() }

// Forget removes its data while it is stopped.
func (e *Etcd) Forget(tb TB) {
	tb.Helper()
	if err := os.RemoveAll(filepath.Join(e.folder, "data")); err != nil {
		tb.Fatalf("remove etcd's data: %v", err)
	}
}

// Values are the values of all keys with the prefix, by key.
func (e *Etcd) Values(tb TB, prefix string) map[string]string {
	tb.Helper()
	values, err := e.values(prefix, Patience)
	if err != nil {
		tb.Fatalf("read %s from etcd: %v", prefix, err)
	}
	return values
}

// Keys are the keys with the prefix, sorted.
func (e *Etcd) Keys(tb TB, prefix string) []string {
	tb.Helper()
	var keys []string
	for key := range e.Values(tb, prefix) {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// Put writes a key without a lease.
func (e *Etcd) Put(tb TB, key, value string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if _, err := e.client.Put(ctx, key, value); err != nil {
		tb.Fatalf("write %s to etcd: %v", key, err)
	}
}

// Delete removes a key, leases or not.
func (e *Etcd) Delete(tb TB, key string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if _, err := e.client.Delete(ctx, key); err != nil {
		tb.Fatalf("delete %s from etcd: %v", key, err)
	}
}

// RevokeLease ends the lease that a key hangs on, as if its owner had been silent for too long.
func (e *Etcd) RevokeLease(tb TB, key string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	response, err := e.client.Get(ctx, key)
	if err != nil || len(response.Kvs) != 1 || response.Kvs[0].Lease == 0 {
		tb.Fatalf("key %s has no lease: %v %v", key, response, err)
	}
	if _, err := e.client.Revoke(ctx, clientv3.LeaseID(response.Kvs[0].Lease)); err != nil {
		tb.Fatalf("revoke the lease of %s: %v", key, err)
	}
}

func (e *Etcd) values(prefix string, within time.Duration) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	response, err := e.client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, pair := range response.Kvs {
		values[string(pair.Key)] = string(pair.Value)
	}
	return values, nil
}
