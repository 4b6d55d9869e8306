package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmgrpc"

	"troth/test/interop/harness"
)

const registryPrefix = "/microservices/dtmservice/"

// world is an etcd, a troth registered in it and an instance of the service trans, for tests that break
// some of it.
type world struct {
	etcd    *harness.Etcd
	server  *harness.Troth
	service *harness.KratosService
	script  *harness.Script
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, "")
}

// newWorldWith has further lines for the server's conf.yml.
func newWorldWith(t *testing.T, conf string) *world {
	t.Helper()
	w := &world{etcd: harness.StartEtcd(t), script: harness.NewScript()}
	w.service = w.startInstance(t, "first")
	w.server = harness.StartTroth(t, harness.TrothOptions{Etcd: w.etcd, Conf: conf})
	awaitRegistered(t, w.etcd)
	return w
}

func (w *world) startInstance(t *testing.T, name string) *harness.KratosService {
	t.Helper()
	return harness.StartKratos(t, harness.KratosOptions{
		Name: "trans", Etcd: w.etcd, Instance: name, Script: w.script,
	})
}

// transfer runs a message to its end and expects it to succeed at once.
func (w *world) transfer(t *testing.T) {
	t.Helper()
	must(t, newMsg(w.server.GRPC, trans, newGid(t)).Submit())
}

func TestRegistrationIsWhatKratosReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	values := w.etcd.Values(t, registryPrefix)
	expectEqual(t, "entries", len(values), 1)
	for key, value := range values {
		id := strings.TrimPrefix(key, registryPrefix)
		if id == "" {
			t.Fatalf("key %s has no instance id", key)
		}
		expectEqual(t, "value", value, fmt.Sprintf(
			`{"id":"%s","name":"dtmservice","version":"%s","metadata":{"weight":"100"},"endpoints":["grpc://localhost:%d"]}`,
			id, w.server.Version(t), w.server.GRPCPort))
	}
}

func TestEtcdStopsAndStartsWhileTransactionsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.transfer(t)
	w.etcd.Stop()
	for i := 0; i < 20; i++ {
		w.transfer(t) // known endpoints are used on
	}
	// A service nobody has asked for yet cannot be found now; the transaction waits for etcd.
	gid := newGid(t)
	other := newMsg(w.server.GRPC, "discovery:///other", gid)
	other.WaitResult, other.RequestTimeout = false, 1
	must(t, other.Submit())
	w.transfer(t)

	w.etcd.Start()
	harness.StartKratos(t, harness.KratosOptions{Name: "other", Etcd: w.etcd, Script: w.script})
	awaitRegistered(t, w.etcd)
	w.server.Await(t, gid, "succeed")
	w.transfer(t)
}

func TestLostRegistrationIsRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.etcd.Keys(t, registryPrefix)[0]
	t.Run("its lease was revoked", func(t *testing.T) {
		w.etcd.RevokeLease(t, key)
		harness.EventuallyWithin(t, 13*time.Second, "registered again", func() (string, bool) {
			keys := w.etcd.Keys(t, registryPrefix)
			return fmt.Sprint(keys), len(keys) == 1
		})
	})
	t.Run("its key was deleted", func(t *testing.T) {
		w.etcd.Delete(t, w.etcd.Keys(t, registryPrefix)[0])
		awaitRegistered(t, w.etcd) // the key is looked at with every third keep-alive, every 15 seconds
	})
	t.Run("etcd lost its data", func(t *testing.T) {
		w.etcd.Stop()
		w.etcd.Forget(t)
		w.etcd.Start()
		began := time.Now()
		awaitRegistered(t, w.etcd)
		t.Logf("registered again %v after etcd", time.Since(began))
	})
}

func TestInstancesComeAndGoUnderAStreamOfTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.startInstance(t, "second")
	stream := w.startStream(t)
	stream.awaitInstance(t, "second")
	second.Stop()
	third := w.startInstance(t, "third")
	stream.awaitInstance(t, "third")
	w.service.Stop()
	stream.awaitMore(t, 50)
	third.Stop() // for a moment there is none at all
	w.startInstance(t, "fourth")
	stream.awaitInstance(t, "fourth")
	for _, gid := range stream.end() {
		w.server.Await(t, gid, "succeed")
	}
}

func TestTwoServersUnderOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := harness.StartTroth(t, harness.TrothOptions{Etcd: w.etcd})
	harness.Eventually(t, "both are registered", func() (string, bool) {
		keys := w.etcd.Keys(t, registryPrefix)
		return fmt.Sprint(keys), len(keys) == 2
	})
	expectEqual(t, "exit code", second.Terminate(), 0)
	expectEqual(t, "entries after one has left", len(w.etcd.Keys(t, registryPrefix)), 1)
	address := "etcd://" + w.etcd.Address + "/dtmservice"
	must(t, newMsg(address, trans, dtmgrpc.MustGenGid(address)).Submit())
}
