// Package registries runs troth with real registries and Kratos's own clients of them, through
// everything that can happen to a registry and to those registered in it.
package registries

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	_ "github.com/dtm-labs/driver-kratos"
	etcdregistry "github.com/go-kratos/kratos/contrib/registry/etcd/v2"
	"github.com/go-kratos/kratos/v2/registry"
	kratosgrpc "github.com/go-kratos/kratos/v2/transport/grpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	v1 "troth/examples/kratos/api/trans/v1"
	"troth/test/interop/harness"
)

const (
	trans    = "discovery:///trans"
	transOut = "/api.trans.v1.Trans/TransOut"
	transIn  = "/api.trans.v1.Trans/TransIn"
	ownName  = "/microservices/dtmservice/"

	// backWithin is how soon after a registry's return troth is registered again: four seconds and a quarter
	// at most, and what a busy machine takes longer.
	backWithin = 15 * time.Second
)

// outage is how long a registry is away; TROTH_REGISTRY_OUTAGE, in seconds, makes it longer.
func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TROTH_REGISTRY_OUTAGE")
	if text == "" {
		return 6 * time.Second
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("TROTH_REGISTRY_OUTAGE: %v", err)
	}
	return time.Duration(seconds) * time.Second
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startTroth registers in the target and offers gRPC and HTTP. Every instance of one test has the
// ports of its own.
func startTroth(t *testing.T, target string) *harness.Troth {
	t.Helper()
	server := newTroth(t, target)
	server.Start()
	return server
}

func newTroth(t *testing.T, target string) *harness.Troth {
	t.Helper()
	server := harness.NewTroth(t, harness.TrothOptions{Conf: "MicroService:"})
	configure(t, server, target)
	return server
}

// configure completes conf.yml, which the endpoint's ports are known for only now.
func configure(t *testing.T, server *harness.Troth, target string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(server.Folder, "conf.yml"), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	defer file.Close()
	_, err = fmt.Fprintf(file, " Driver: dtm-driver-kratos\n Target: '%s'\n EndPoint: 'grpc://127.0.0.1:%d,http://127.0.0.1:%d'\n",
		target, server.GRPCPort, server.HTTPPort)
	must(t, err)
}

var gids int64

// submit runs a message of two branches of a service and waits for its result.
func submit(server *harness.Troth, service string) (string, error) {
	gid := fmt.Sprintf("registries-%d-%d", os.Getpid(), atomic.AddInt64(&gids, 1))
	msg := dtmgrpc.NewMsgGrpc(server.GRPC, gid).
		Add(service+transOut, &v1.AdjustInfo{Amount: 30, UserID: 1}).
		Add(service+transIn, &v1.AdjustInfo{Amount: 30, UserID: 2})
	msg.WaitResult, msg.RetryInterval, msg.RequestTimeout = true, 1, 3
	return gid, msg.Submit()
}

func mustSubmit(t *testing.T, server *harness.Troth, service string) {
	t.Helper()
	_, err := submit(server, service)
	must(t, err)
}

// eventuallySubmits waits until a service can be called: what was registered a moment ago takes a
// moment to be seen.
func eventuallySubmits(t *testing.T, server *harness.Troth, service string) {
	t.Helper()
	harness.Eventually(t, service+" is called", func() (string, bool) {
		_, err := submit(server, service)
		return fmt.Sprint(err), err == nil
	})
}

// load does something again and again, in several goroutines, and counts.
type load struct {
	stop   chan struct{}
	done   sync.WaitGroup
	calls  int64
	mutex  sync.Mutex
	errors []error
}

func startLoad(t *testing.T, workers int, call func() error) *load {
	t.Helper()
	l := &load{stop: make(chan struct{})}
	for i := 0; i < workers; i++ {
		l.done.Add(1)
		go l.work(call)
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) work(call func() error) {
	defer l.done.Done()
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		err := call()
		atomic.AddInt64(&l.calls, 1)
		if err != nil {
			l.mutex.Lock()
			l.errors = append(l.errors, err)
			l.mutex.Unlock()
		}
	}
}

func (l *load) awaitMore(t *testing.T, n int64) {
	t.Helper()
	begin := atomic.LoadInt64(&l.calls)
	harness.EventuallyWithin(t, 2*harness.Patience, fmt.Sprintf("%d more calls", n), func() (string, bool) {
		now := atomic.LoadInt64(&l.calls) - begin
		return fmt.Sprint(now), now >= n
	})
}

// end stops it; what went wrong is in errors then. Harmless when repeated.
func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.done.Wait()
}

// kratosClient is a connection to `dtmservice` through a registry's own client for Kratos.
func kratosClient(t *testing.T, discovery registry.Discovery) dtmgpb.DtmClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	connection, err := kratosgrpc.DialInsecure(ctx,
		kratosgrpc.WithEndpoint("discovery:///dtmservice"),
		kratosgrpc.WithDiscovery(discovery),
		kratosgrpc.WithTimeout(harness.Patience),
		kratosgrpc.WithOptions(grpc.WithBlock()))
	must(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return dtmgpb.NewDtmClient(connection)
}

func newGid(client dtmgpb.DtmClient) error {
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	_, err := client.NewGid(ctx, &emptypb.Empty{})
	return err
}

func etcdTarget(etcd *harness.Etcd) string { return "etcd://" + etcd.Address + "/dtmservice" }

func etcdDiscovery(t *testing.T, etcd *harness.Etcd) registry.Discovery {
	return etcdregistry.New(etcd.NewClient(t, nil))
}

func startTrans(t *testing.T, etcd *harness.Etcd, instance string, script *harness.Script) *harness.KratosService {
	t.Helper()
	return harness.StartKratos(t, harness.KratosOptions{
		Name: "trans", Etcd: etcd, Instance: instance, Script: script,
	})
}

func awaitEntries(t *testing.T, etcd *harness.Etcd, n int) {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("%d entries in etcd", n), func() (string, bool) {
		keys := etcd.Keys(t, ownName)
		return strings.Join(keys, " "), len(keys) == n
	})
}
