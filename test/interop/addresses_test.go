package interop

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmgrpc"

	"troth/test/interop/harness"
)

// Every form in which an application may name a service, protocol/discovery.md section 6.
func serviceAddresses() map[string]string {
	etcd, one, two := shared.etcd.Address, shared.first.Address, shared.second.Address
	return map[string]string{
		"discovery of the Target":    "discovery:///trans",
		"discovery with a host":      "discovery://" + etcd + "/trans",
		"etcd":                       "etcd://" + etcd + "/trans",
		"direct to one":              "direct:///" + one,
		"direct to two":              "direct:///" + one + "," + two,
		"direct with an authority":   "direct://anything/" + one,
		"host and port":              one,
		"dns":                        "dns:///" + one,
		"dns with a name":            "dns:///localhost:" + portOf(one),
		"name and port":              "localhost:" + portOf(one),
		"grpc":                       "grpc://" + one,
		"direct, the first one dead": "direct:///127.0.0.1:1," + one,
	}
}

func portOf(address string) string { return address[len("127.0.0.1:"):] }

func TestMsgThroughEveryServiceAddress(t *testing.T) {
	for name, address := range serviceAddresses() {
		address := address
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			must(t, newMsg(shared.troth.GRPC, address, gid).Submit())
			expectCalls(t, gid, "01 action", "02 action")
			expectStates(t, shared.troth.Await(t, gid, "succeed"), "01 action succeed", "02 action succeed")
			calls := shared.script.Calls(gid)
			expectEqual(t, "first method", calls[0].Method, transOut)
			expectEqual(t, "first payload", calls[0].Payload, wire(t, adjust(30, 1)))
			expectEqual(t, "second method", calls[1].Method, transIn)
			expectEqual(t, "second payload", calls[1].Payload, wire(t, adjust(30, 2)))
		})
	}
}

func TestSagaThroughEveryServiceAddress(t *testing.T) {
	for name, address := range serviceAddresses() {
		address := address
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			shared.script.On(gid, "02", "action", harness.Refuse("no such user"))
			err := newSaga(shared.troth.GRPC, address, gid).Submit()
			expectError(t, err, "no such user")
			expectCalls(t, gid, "01 action", "02 action", "02 compensate", "01 compensate")
			expectStates(t, shared.troth.Await(t, gid, "failed"),
				"01 compensate succeed", "01 action succeed", "02 compensate succeed", "02 action failed")
		})
	}
}

// Every form in which an application may name troth.
func TestTheClientFindsTrothUnderEveryAddress(t *testing.T) {
	grpc := shared.troth.GRPC
	for name, address := range map[string]string{
		"etcd":          "etcd://" + shared.etcd.Address + "/dtmservice",
		"direct":        "direct:///" + grpc,
		"dns":           "dns:///localhost:" + portOf(grpc),
		"host and port": grpc,
	} {
		address := address
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := dtmgrpc.MustGenGid(address)
			must(t, newMsg(address, "discovery:///trans", gid).Submit())
			expectCalls(t, gid, "01 action", "02 action")
		})
	}
}

func TestCallsAreSpreadOverTheInstances(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i := 0; i < 20; i++ {
		gid := newGid(t)
		must(t, newMsg(shared.troth.GRPC, "discovery:///trans", gid).Submit())
		for _, call := range shared.script.Calls(gid) {
			seen[call.Instance]++
		}
	}
	if seen["first"] < 5 || seen["second"] < 5 {
		t.Fatalf("calls per instance: %v", seen)
	}
}

// A name that begins like another one, as both lie under one prefix in etcd.
func TestANameThatIsThePrefixOfAnother(t *testing.T) {
	t.Parallel()
	script := harness.NewScript()
	harness.StartKratos(t, harness.KratosOptions{
		Name: "trans2", Etcd: shared.etcd, Instance: "another", Script: script,
	})
	gid := newGid(t)
	must(t, newMsg(shared.troth.GRPC, "discovery:///trans2", gid).Submit())
	expectEqual(t, "calls of trans2", len(script.Calls(gid)), 2)
	for i := 0; i < 6; i++ {
		gid := newGid(t)
		must(t, newMsg(shared.troth.GRPC, "discovery:///trans", gid).Submit())
		expectCalls(t, gid, "01 action", "02 action")
	}
}

func TestGarbageInTheRegistryIsSkipped(t *testing.T) {
	t.Parallel()
	for key, value := range map[string]string{
		"/microservices/odd/garbage":  "{not json",
		"/microservices/odd/empty":    "",
		"/microservices/odd/list":     "[1]",
		"/microservices/odd/nothing":  `{"id":"n","name":"odd","endpoints":null}`,
		"/microservices/odd/http":     `{"id":"h","name":"odd","endpoints":["http://127.0.0.1:1"]}`,
		"/microservices/odd/secure":   `{"id":"s","name":"odd","endpoints":["grpc://127.0.0.1:1?isSecure=true"]}`,
		"/microservices/odd/unparsed": `{"id":"u","name":"odd","endpoints":["grpc://%zz"]}`,
	} {
		shared.etcd.Put(t, key, value)
	}
	harness.StartKratos(t, harness.KratosOptions{
		Name: "odd", Etcd: shared.etcd, Script: shared.script,
	})
	for i := 0; i < 4; i++ {
		gid := newGid(t)
		must(t, newMsg(shared.troth.GRPC, "discovery:///odd", gid).Submit())
	}
}

func TestAnUnknownServiceIsAskedForAgainUntilItComes(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	msg := newMsg(shared.troth.GRPC, "discovery:///late", gid)
	msg.WaitResult = false
	msg.RequestTimeout = 1
	must(t, msg.Submit())
	harness.During(t, 2*time.Second, "it waits", func() (string, bool) {
		now := shared.troth.Query(t, gid).Status
		return now, now == "submitted"
	})
	harness.StartKratos(t, harness.KratosOptions{
		Name: "late", Etcd: shared.etcd, Script: shared.script,
	})
	shared.troth.Await(t, gid, "succeed")
	// Where an answer takes longer than the second there is, a call is made again.
	calls := regexp.MustCompile(`^(01 action )+(02 action )+$`)
	if names := strings.Join(shared.script.Names(gid), " ") + " "; !calls.MatchString(names) {
		t.Fatalf("calls %s", names)
	}
}

func TestAddressesThatNameNothing(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"no slash":       "127.0.0.1:9000",
		"not parsable":   "discovery://%zz/s/m",
		"only a scheme":  "://",
		"only a host":    "discovery://host",
		"unknown scheme": "gopher:///trans/a.B/C",
		"empty service":  "discovery:////a.B/C",
	} {
		address := address
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gid := newGid(t)
			msg := dtmgrpc.NewMsgGrpc(shared.troth.GRPC, gid).Add(address, adjust(1, 1))
			msg.WaitResult = true
			msg.RequestTimeout = 1
			if err := msg.Submit(); err == nil {
				t.Fatalf("%s was called", address)
			}
			// Stored or refused, but never taken for done.
			if stored := shared.troth.Query(t, gid); stored != nil && stored.Status != "submitted" {
				t.Fatalf("status %s", stored.Status)
			}
		})
	}
}
