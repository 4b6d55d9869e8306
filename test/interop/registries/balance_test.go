package registries

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"troth/test/interop/harness"
)

const spread = "discovery:///spread"

// instance is one of the service `spread`, with a script of its own.
type instance struct {
	*harness.KratosService
	script *harness.Script
}

// startInstance registers it with a weight. The address is host:port, or empty for any.
func startInstance(t *testing.T, etcd *harness.Etcd, weight int, address string) *instance {
	t.Helper()
	script := harness.NewScript()
	service := harness.StartKratos(t, harness.KratosOptions{Script: script, Address: address})
	etcd.Put(t, "/microservices/spread/"+service.Address, fmt.Sprintf(
		`{"id":"%s","name":"spread","version":"","metadata":{"weight":"%d"},"endpoints":["grpc://%s"]}`,
		service.Address, weight, service.Address))
	return &instance{service, script}
}

// submitUntil submits from so many clients until n messages have been answered.
func submitUntil(t *testing.T, server *harness.Troth, clients int, n int64) *load {
	t.Helper()
	calls := startLoad(t, clients, func() error {
		_, err := submit(server, spread)
		return err
	})
	calls.awaitMore(t, n)
	calls.end()
	return calls
}

func TestCallsGoByWeight(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	light, heavy := startInstance(t, etcd, 10, ""), startInstance(t, etcd, 30, "")
	server := startTroth(t, etcdTarget(etcd))
	// Until both are connected, one gets all calls.
	harness.Eventually(t, "both are called", func() (string, bool) {
		mustSubmit(t, server, spread)
		few, many := light.script.Total(), heavy.script.Total()
		return fmt.Sprint(few, many), few > 0 && many > 0
	})
	before, beforeToo := light.script.Total(), heavy.script.Total()
	calls := submitUntil(t, server, 4, 100)
	if len(calls.errors) > 0 {
		t.Fatalf("%v", calls.errors[0])
	}
	few, many := light.script.Total()-before, heavy.script.Total()-beforeToo
	if share := float64(few) / float64(few+many); share < 0.2 || share > 0.3 {
		t.Fatalf("%d calls with weight 10, %d with weight 30", few, many)
	}
}

func TestIPv6Instances(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	address := fmt.Sprintf("[::1]:%d", harness.FreePort(t))
	service := startInstance(t, etcd, 100, address)
	server := startTroth(t, etcdTarget(etcd))
	for _, url := range []string{spread, "direct:///" + address, address, "grpc://" + address} {
		before := service.script.Total()
		mustSubmit(t, server, url)
		if calls := service.script.Total() - before; calls != 2 {
			t.Fatalf("%s: %d calls", url, calls)
		}
	}
}

// With the less loaded of two, a slow instance gets fewer calls, not half of them.
func TestTheLessLoadedOfTwoIsCalled(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	slow, fast := startInstance(t, etcd, 100, ""), startInstance(t, etcd, 100, "")
	slow.script.OnAll(harness.After(200 * time.Millisecond))
	server := harness.NewTroth(t, harness.TrothOptions{
		Conf: "GrpcServiceConfig: '{\"loadBalancingConfig\": [{\"least_request_experimental\":{}}]}'\nMicroService:",
	})
	configure(t, server, etcdTarget(etcd))
	server.Start()
	submitUntil(t, server, 4, 100)
	few, many := slow.script.Total(), fast.script.Total()
	if few == 0 || many < 2*few {
		t.Fatalf("%d calls of the slow instance, %d of the fast one", few, many)
	}
}

// An instance that is connected and fails every call is left out, and called again once it answers.
func TestAnInstanceThatFailsIsLeftOut(t *testing.T) {
	t.Parallel()
	etcd := harness.StartEtcd(t)
	broken, good := startInstance(t, etcd, 100, ""), startInstance(t, etcd, 100, "")
	broken.script.OnAll(harness.AnswerGRPC(codes.Unavailable, "broken"))
	server := startTroth(t, etcdTarget(etcd))
	// One client, so that failed and good calls take turns: five that fail without a good one between, which several
	// clients may meet by chance, would hold back all calls of the name for a second.
	calls := submitUntil(t, server, 1, 200)
	for _, err := range calls.errors {
		if !strings.Contains(err.Error(), "broken") {
			t.Fatal(err)
		}
	}
	if few, many := broken.script.Total(), good.script.Total(); few > 50 || many < 300 {
		t.Fatalf("%d calls of the broken instance, %d of the good one", few, many)
	}

	broken.script.OnAll(harness.Succeed)
	before := broken.script.Total()
	harness.Eventually(t, "it is called again", func() (string, bool) {
		_, err := submit(server, spread)
		seen := broken.script.Total() - before
		return fmt.Sprint(seen, err), seen > 20
	})
}
