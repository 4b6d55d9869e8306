package registries

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	etcdregistry "github.com/go-kratos/kratos/contrib/registry/etcd/v2"

	"troth/test/interop/harness"
)

func TestKratosClientFindsTrothInEtcd(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	startTroth(t, etcdTarget(etcd))
	startTroth(t, etcdTarget(etcd))
	awaitEntries(t, etcd, 2)
	client := kratosClient(t, etcdDiscovery(t, etcd))
	for i := 0; i < 20; i++ {
		must(t, newGid(client))
	}
}

// SIGTERM takes a server out of the registry before its door closes: no call of a client that follows
// the registry is refused.
func TestTerminatingAServerRefusesNobody(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	first := startTroth(t, etcdTarget(etcd))
	second := startTroth(t, etcdTarget(etcd))
	awaitEntries(t, etcd, 2)
	client := kratosClient(t, etcdDiscovery(t, etcd))
	calls := startLoad(t, 8, func() error { return newGid(client) })
	calls.awaitMore(t, 500)
	if code := first.Terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	calls.awaitMore(t, 500)
	first.Start()
	awaitEntries(t, etcd, 2)
	calls.awaitMore(t, 500)
	if code := second.Terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	calls.awaitMore(t, 500)
	calls.end()
	if len(calls.errors) > 0 {
		t.Fatalf("%d of %d calls failed: %v (%s, %s)", len(calls.errors), calls.calls, calls.errors[0], first.GRPC, second.GRPC)
	}
}

// Calls in progress on an instance that is killed are repeated; no transaction fails for it.
func TestAnInstanceIsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	program := os.Getenv("TROTH_INTEROP_TRANS")
	if program == "" {
		t.Fatal("TROTH_INTEROP_TRANS is not set; test/registries/run sets it")
	}
	start := func(name string) *harness.Process {
		return harness.StartProcess(t, name, t.TempDir(), filepath.Clean(program),
			"-listen", fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t)), "-etcd", etcd.Address)
	}
	start("stays")
	victim := start("victim")
	server := startTroth(t, etcdTarget(etcd))
	harness.Eventually(t, "the victim is called", func() (string, bool) {
		_, err := submit(server, trans)
		return fmt.Sprint(err), strings.Contains(victim.Log(), "transfer")
	})
	unsettled := make(chan string, 1000)
	calls := startLoad(t, 4, func() error {
		gid, err := submit(server, trans)
		if err != nil {
			unsettled <- gid
		}
		return err
	})
	calls.awaitMore(t, 500)
	victim.Kill()
	calls.awaitMore(t, 1000)
	calls.end()
	close(unsettled)
	repeated := 0
	for gid := range unsettled {
		repeated++
		server.Await(t, gid, "succeed")
	}
	t.Logf("%d of %d messages met the killed instance and were repeated", repeated, calls.calls)
	if int64(repeated)*100 >= calls.calls {
		t.Fatalf("%d of %d messages were repeated; want less than 1%%", repeated, calls.calls)
	}
}

func TestEtcdIsAwayForLong(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	startTrans(t, etcd, "first", harness.NewScript())
	server := startTroth(t, etcdTarget(etcd))
	awaitEntries(t, etcd, 1)
	eventuallySubmits(t, server, trans)
	etcd.Stop()
	etcd.Forget(t)
	harness.During(t, outage(t), "transactions go on", func() (string, bool) {
		_, err := submit(server, trans)
		return fmt.Sprint(err), err == nil
	})
	etcd.Start()
	harness.EventuallyWithin(t, backWithin, "registered again", func() (string, bool) {
		keys := etcd.Keys(t, ownName)
		return fmt.Sprint(keys), len(keys) == 1
	})
	mustSubmit(t, server, trans)
}

func TestEtcdIsUnreachableAtTheStart(t *testing.T) {
	t.Parallel()
	etcd := harness.NewEtcd(t)
	server := startTroth(t, etcdTarget(etcd))
	code, _, err := server.Get("/api/ping")
	if err != nil || code != http.StatusOK {
		t.Fatalf("ping: %d %v", code, err)
	}
	etcd.Start()
	harness.EventuallyWithin(t, backWithin, "registered", func() (string, bool) {
		keys := etcd.Keys(t, ownName)
		return fmt.Sprint(keys), len(keys) == 1
	})
	startTrans(t, etcd, "first", harness.NewScript())
	eventuallySubmits(t, server, trans)
}

// The network between troth and etcd loses everything for longer than a lease lives.
func TestTheNetworkToEtcdIsCut(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	proxy := harness.StartProxy(t, etcd.Address)
	startTrans(t, etcd, "first", harness.NewScript())
	server := startTroth(t, "etcd://"+proxy.Address+"/dtmservice")
	awaitEntries(t, etcd, 1)
	eventuallySubmits(t, server, trans)
	proxy.Hold()
	harness.Eventually(t, "the lease runs out", func() (string, bool) {
		if _, err := submit(server, trans); err != nil {
			t.Fatalf("a transaction failed while etcd was cut off: %v", err)
		}
		keys := etcd.Keys(t, ownName)
		return fmt.Sprint(keys), len(keys) == 0
	})
	proxy.Release()
	harness.EventuallyWithin(t, backWithin, "registered again", func() (string, bool) {
		keys := etcd.Keys(t, ownName)
		return fmt.Sprint(keys), len(keys) == 1
	})
	startTrans(t, etcd, "second", harness.NewScript())
	mustSubmit(t, server, trans)
}

func TestEtcdWithTLSAndClientCertificates(t *testing.T) {
	t.Parallel()
	files := harness.NewCertificates(t)
	etcd := harness.StartSecureEtcd(t, files)
	with := fmt.Sprintf("%s?tls=true&caPath=%s&certPath=%s&certKeyPath=%s",
		etcdTarget(etcd), files.CA, files.Client, files.ClientKey)
	startTroth(t, with)
	awaitEntries(t, etcd, 1)
	client := kratosClient(t, etcdregistry.New(etcd.NewClient(t, files.ClientConfig())))
	must(t, newGid(client))

	// Without a certificate etcd lets nobody in; troth serves all the same, and says what is wrong.
	stranger := startTroth(t, fmt.Sprintf("%s?tls=true&caPath=%s", etcdTarget(etcd), files.CA))
	harness.Eventually(t, "it says that it is not registered", func() (string, bool) {
		return stranger.LogTail(), strings.Contains(stranger.Log(), "not registered; trying again")
	})
	if keys := etcd.Keys(t, ownName); len(keys) != 1 {
		t.Fatalf("entries: %v", keys)
	}
}

func TestBadTargetsEndTheStart(t *testing.T) {
	t.Parallel()
	for target, text := range map[string]string{
		"nacos://h:8848/name":         "unknown scheme: nacos",
		"localhost:2379/x":            "unknown scheme: localhost",
		"etcd:///name":                "no host in",
		"consul://a:8500,b:8500/name": "no such host",
		"consul://h:8500":             "Missing service name",
		"etcd://h:2379/name?tls=true&caPath=/no/such.pem": "ca  file not found: /no/such.pem",
	} {
		server := newTroth(t, target)
		server.Launch()
		if code := server.ExitCode(harness.Patience); code == 0 || !strings.Contains(server.Log(), text) {
			t.Errorf("%s: exit code %d, want the text %q in:\n%s", target, code, text, server.LogTail())
		}
	}
}

// An HTTP branch may name a service to look up, as gRPC ones do.
func TestHTTPBranchesOfAServiceInEtcd(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	script := harness.NewScript()
	base := harness.StartHTTP(t, script)
	etcd.Put(t, "/microservices/web/1", fmt.Sprintf(
		`{"id":"1","name":"web","version":"","metadata":null,"endpoints":["grpc://127.0.0.1:1","%s"]}`, base))
	server := startTroth(t, etcdTarget(etcd))
	gid := fmt.Sprintf("registries-http-%d", time.Now().UnixNano())
	code, body, err := server.Post("submit", fmt.Sprintf(
		`{"gid":"%s","trans_type":"msg","steps":[{"action":"discovery:///web/api/in?x=1"}],"payloads":["{}"],"wait_result":true}`, gid))
	if err != nil || code != http.StatusOK {
		t.Fatalf("submit: %d %s %v", code, body, err)
	}
	calls := script.Calls(gid)
	if len(calls) != 1 || calls[0].Method != "POST /api/in" {
		t.Fatalf("calls: %v", calls)
	}
}
