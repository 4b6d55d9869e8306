package interop

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"troth/test/interop/harness"
)

func TestSigtermFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gid, release := newGid(t), make(chan struct{})
	w.script.On(gid, "01", "action", harness.HoldUntil(release))
	answer := make(chan error, 1)
	go func() { answer <- newMsg(w.server.GRPC, trans, gid).Submit() }()
	w.script.AwaitCall(t, gid, "01", "action", 1)

	w.server.Signal(syscall.SIGTERM)
	harness.Eventually(t, "it is gone from etcd", func() (string, bool) {
		keys := w.etcd.Keys(t, registryPrefix)
		return fmt.Sprint(keys), len(keys) == 0
	})
	close(release)
	expectEqual(t, "exit code", w.server.ExitCode(harness.Patience), 0)
	// The client that waited was told what happened: success, or to come again.
	if err := <-answer; err != nil && status.Code(err) != codes.Unavailable {
		t.Fatalf("the waiting client got %v", err)
	}
	w.server.Start()
	w.server.Await(t, gid, "succeed")
	expectEqual(t, "last call", w.script.Names(gid)[len(w.script.Names(gid))-1], "02 action")
}

func TestSigtermParksWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gid := newGid(t)
	w.script.On(gid, "01", "action", harness.Hang, harness.Succeed)
	msg := newMsg(w.server.GRPC, trans, gid)
	msg.WaitResult, msg.RequestTimeout = false, 600
	must(t, msg.Submit())
	w.script.AwaitCall(t, gid, "01", "action", 1)
	expectEqual(t, "exit code", w.server.Terminate(), 0)
	w.server.Start()
	w.server.Await(t, gid, "succeed")
}

func TestSigintStopsToo(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{})
	server.Signal(syscall.SIGINT)
	expectEqual(t, "exit code", server.ExitCode(harness.Patience), 0)
}

// Nothing is handed back by a server that stops at once: in a store of several it would keep its lease of ten minutes.
func TestASecondSignalStopsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, "Store: {Driver: embedded}")
	gid := newGid(t)
	w.script.On(gid, "01", "action", harness.Hang, harness.Succeed)
	msg := newMsg(w.server.GRPC, trans, gid)
	msg.WaitResult, msg.RequestTimeout = false, 600
	must(t, msg.Submit())
	w.script.AwaitCall(t, gid, "01", "action", 1)
	w.server.Signal(syscall.SIGTERM)
	harness.Eventually(t, "it drains", func() (string, bool) {
		keys := w.etcd.Keys(t, registryPrefix)
		return fmt.Sprint(keys), len(keys) == 0
	})
	w.server.Signal(syscall.SIGTERM)
	w.server.ExitCode(8 * time.Second) // to drain would take ten
	w.server.Start()
	w.server.Await(t, gid, "succeed")
}

func TestEtcdUnreachableAtTheStart(t *testing.T) {
	t.Parallel()
	etcd, script := harness.NewEtcd(t), harness.NewScript()
	service := harness.StartKratos(t, harness.KratosOptions{Script: script})
	began := time.Now()
	server := harness.StartTroth(t, harness.TrothOptions{Etcd: etcd})
	if took := time.Since(began); took > 15*time.Second {
		t.Fatalf("troth answered only after %v", took)
	}
	must(t, newMsg(server.GRPC, service.Address, newGid(t)).Submit())
	must(t, newMsg(server.GRPC, "direct:///"+service.Address, newGid(t)).Submit())
	etcd.Start()
	awaitRegistered(t, etcd)
	harness.StartKratos(t, harness.KratosOptions{Name: "trans", Etcd: etcd, Script: script})
	gid := newGid(t)
	msg := newMsg(server.GRPC, trans, gid)
	msg.WaitResult = false
	must(t, msg.Submit())
	server.Await(t, gid, "succeed")
}

func TestTwoServersOnOneDirectory(t *testing.T) {
	t.Parallel()
	first := harness.StartTroth(t, harness.TrothOptions{Conf: "Store:\n Path: 'troth-data'"})
	second := harness.NewTroth(t, harness.TrothOptions{
		Conf: fmt.Sprintf("Store:\n Path: '%s/troth-data'", first.Folder),
	})
	second.Launch()
	expectEqual(t, "exit code", second.ExitCode(harness.Patience), 1)
	expectText(t, second.Log(), first.Folder+"/troth-data", "another")
	must(t, newMsg(first.GRPC, shared.first.Address, newGid(t)).Submit()) // the first is unharmed
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	for name, port := range map[string]func(*harness.Troth) int{
		"HTTP": func(server *harness.Troth) int { return server.HTTPPort },
		"gRPC": func(server *harness.Troth) int { return server.GRPCPort },
	} {
		port := port
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := harness.NewTroth(t, harness.TrothOptions{})
			listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port(server)))
			must(t, err)
			defer listener.Close()
			server.Launch()
			expectEqual(t, "exit code", server.ExitCode(harness.Patience), 1)
			expectText(t, server.Log(), fmt.Sprint(port(server)), "in use")
		})
	}
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ conf, text string }{
		"a Target of an unknown scheme": {
			"MicroService:\n Driver: 'dtm-driver-kratos'\n Target: 'kubernetes:///x'\n EndPoint: 'grpc://localhost:1'",
			"unknown scheme: kubernetes",
		},
		"an unknown driver": {
			"MicroService:\n Driver: 'dtm-driver-nobody'", "dtm-driver-nobody",
		},
		"a short RetryInterval": {
			"RetryInterval: 5", "config error: 'RetryInterval should not be less than 10'.",
		},
		"a number in quotes":        {"RequestTimeout: '3'", "RequestTimeout"},
		"text that is not YAML":     {"Store: [", "yaml"},
		"a folder that is a file":   {"Store:\n Path: 'conf.yml'", "conf.yml"},
		"a folder that is a device": {"Store:\n Path: '/dev/null/data'", "/dev/null/data"},
	} {
		c := c
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := harness.NewTroth(t, harness.TrothOptions{Conf: c.conf})
			server.Launch()
			expectEqual(t, "exit code", server.ExitCode(harness.Patience), 1)
			expectText(t, server.Log(), c.text)
		})
	}
}

func TestUnknownConfigurationKeysAreWarnedOf(t *testing.T) {
	t.Parallel()
	server := harness.StartTroth(t, harness.TrothOptions{Conf: "RetryIntervall: 20\nJsonRpcPort: 36791"})
	expectText(t, server.Log(), "RetryIntervall", "RetryInterval", "JsonRpcPort")
}

// expectText checks that a log holds all the words.
func expectText(t *testing.T, log string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(log, word) {
			t.Fatalf("the log says nothing of %q:\n%s", word, log)
		}
	}
}
