//go:build consul

package registries

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	consulregistry "github.com/go-kratos/kratos/contrib/registry/consul/v2"
	consulapi "github.com/hashicorp/consul/api"

	"troth/test/interop/harness"
)

func consulTarget(consul *harness.Consul) string { return "consul://" + consul.Address + "/dtmservice" }

func ownID(server *harness.Troth) string {
	return fmt.Sprintf("dtmservice-127.0.0.1-%d", server.GRPCPort)
}

// awaitService waits until the agent has the service of a server.
func awaitService(t *testing.T, consul *harness.Consul, server *harness.Troth) *consulapi.AgentService {
	t.Helper()
	var service *consulapi.AgentService
	harness.EventuallyWithin(t, backWithin, "registered in Consul", func() (string, bool) {
		service = consul.Service(ownID(server))
		return fmt.Sprint(service), service != nil
	})
	return service
}

func startTransInConsul(t *testing.T, consul *harness.Consul, name string, script *harness.Script) *harness.KratosService {
	t.Helper()
	return harness.StartKratos(t, harness.KratosOptions{
		Name: name, Registry: consulregistry.New(consul.Client), Instance: name, Script: script,
	})
}

func TestConsulRegistrationIsWhatKratosReads(t *testing.T) {
	t.Parallel()
	consul := harness.StartConsul(t, harness.ConsulOptions{})
	server := startTroth(t, consulTarget(consul))
	service := awaitService(t, consul, server)
	tagged := map[string]string{}
	for tag, address := range service.TaggedAddresses {
		tagged[tag] = fmt.Sprintf("%s %d", address.Address, address.Port)
	}
	want := map[string]string{
		"grpc":     fmt.Sprintf("grpc://127.0.0.1:%d %d", server.GRPCPort, server.GRPCPort),
		"http":     fmt.Sprintf("http://127.0.0.1:%d %d", server.HTTPPort, server.HTTPPort),
		"lan_ipv4": fmt.Sprintf("127.0.0.1 %d", server.GRPCPort),
		"wan_ipv4": fmt.Sprintf("127.0.0.1 %d", server.GRPCPort),
	}
	if !reflect.DeepEqual(tagged, want) {
		t.Fatalf("tagged addresses %v; want %v", tagged, want)
	}
	if want := map[string]string{"weight": "100"}; !reflect.DeepEqual(service.Meta, want) {
		t.Fatalf("metadata %v; want %v", service.Meta, want)
	}
	if version := "version=" + server.Version(t); len(service.Tags) != 1 || service.Tags[0] != version {
		t.Fatalf("tags %v; want %s", service.Tags, version)
	}
	consul.AwaitPassing(t, "dtmservice", 1)
	checks, err := consul.Client.Agent().Checks()
	must(t, err)
	if len(checks) != 3 || checks["service:"+ownID(server)] == nil {
		t.Fatalf("checks: %v", checks)
	}
}

func TestKratosClientFindsTrothInConsul(t *testing.T) {
	t.Parallel()
	consul := harness.StartConsul(t, harness.ConsulOptions{})
	first := startTroth(t, consulTarget(consul))
	startTroth(t, consulTarget(consul))
	consul.AwaitPassing(t, "dtmservice", 2)
	client := kratosClient(t, consulregistry.New(consul.Client))
	calls := startLoad(t, 4, func() error { return newGid(client) })
	calls.awaitMore(t, 200)
	if code := first.Terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	calls.awaitMore(t, 200)
	calls.end()
	if len(calls.errors) > 0 {
		t.Fatalf("%d of %d calls failed: %v", len(calls.errors), calls.calls, calls.errors[0])
	}
	if service := consul.Service(ownID(first)); service != nil {
		t.Fatalf("still registered: %v", service)
	}
}

func TestTrothFindsKratosServicesInConsul(t *testing.T) {
	t.Parallel()
	consul := harness.StartConsul(t, harness.ConsulOptions{})
	script := harness.NewScript()
	service := startTransInConsul(t, consul, "trans", script)
	consul.AwaitPassing(t, "trans", 1)
	registered := startTroth(t, consulTarget(consul))
	unregistered := harness.StartTroth(t, harness.TrothOptions{})
	for _, address := range []string{
		"discovery:///trans", "discovery://anything:1/trans", "consul://" + consul.Address + "/trans",
	} {
		mustSubmit(t, registered, address)
	}
	mustSubmit(t, unregistered, "consul://"+consul.Address+"/trans")

	// Instances come and go.
	service.Stop()
	startTransInConsul(t, consul, "trans", script)
	consul.AwaitPassing(t, "trans", 1)
	eventuallySubmits(t, registered, trans)
}

func TestConsulComesBackEmpty(t *testing.T) {
	t.Parallel()
	consul := harness.StartConsul(t, harness.ConsulOptions{})
	startTransInConsul(t, consul, "trans", harness.NewScript())
	consul.AwaitPassing(t, "trans", 1)
	server := startTroth(t, consulTarget(consul))
	awaitService(t, consul, server)
	mustSubmit(t, server, trans)
	consul.Stop()
	harness.During(t, outage(t), "transactions go on", func() (string, bool) {
		_, err := submit(server, trans)
		return fmt.Sprint(err), err == nil
	})
	consul.Start()
	awaitService(t, consul, server)
	mustSubmit(t, server, trans)
}

// The entry of a killed server outlives it; the next start takes it over instead of adding another.
func TestAKilledServerTakesItsEntryInConsulOver(t *testing.T) {
	t.Parallel()
	consul := harness.StartConsul(t, harness.ConsulOptions{})
	server := startTroth(t, consulTarget(consul))
	awaitService(t, consul, server)
	server.Kill()
	server.Start()
	consul.AwaitPassing(t, "dtmservice", 1)
	services, err := consul.Client.Agent().Services()
	must(t, err)
	if len(services) != 1 || services[ownID(server)] == nil {
		t.Fatalf("services: %v", services)
	}
}

func TestConsulIsUnreachableAtTheStart(t *testing.T) {
	t.Parallel()
	consul := harness.NewConsul(t, harness.ConsulOptions{})
	server := startTroth(t, consulTarget(consul))
	consul.Start()
	awaitService(t, consul, server)
}

// What somebody deregistered behind troth's back is back with the next heartbeat.
func TestADeletedServiceIsBackInConsul(t *testing.T) {
	t.Parallel()
	consul := harness.StartConsul(t, harness.ConsulOptions{})
	server := startTroth(t, consulTarget(consul))
	awaitService(t, consul, server)
	must(t, consul.Client.Agent().ServiceDeregister(ownID(server)))
	awaitService(t, consul, server)
}

func TestConsulWithToken(t *testing.T) {
	t.Parallel()
	const token = "6f3e1c1e-2f39-4f5e-9f2b-0b8f0a4f7a11"
	consul := harness.StartConsul(t, harness.ConsulOptions{
		Config: `acl { enabled = true default_policy = "deny" tokens { initial_management = "` + token + `" agent = "` + token + `" } }`,
		Client: &consulapi.Config{Token: token},
	})
	server := startTroth(t, consulTarget(consul)+"?token="+token)
	awaitService(t, consul, server)
	stranger := startTroth(t, consulTarget(consul))
	harness.Eventually(t, "it says that it is not registered", func() (string, bool) {
		return stranger.LogTail(), strings.Contains(stranger.Log(), "not registered; trying again") &&
			strings.Contains(stranger.Log(), "403")
	})
	if strings.Contains(server.Log(), token) {
		t.Fatal("the token is in the log")
	}
}

func TestConsulWithTLSAndClientCertificates(t *testing.T) {
	t.Parallel()
	files := harness.NewCertificates(t)
	consul := harness.StartConsul(t, harness.ConsulOptions{
		TLS: true,
		Config: fmt.Sprintf(`tls { defaults { ca_file = "%s" cert_file = "%s" key_file = "%s" } https { verify_incoming = true } }`,
			files.CA, files.Server, files.ServerKey),
		Client: &consulapi.Config{Scheme: "https", TLSConfig: consulapi.TLSConfig{
			CAFile: files.CA, CertFile: files.Client, KeyFile: files.ClientKey,
		}},
	})
	server := startTroth(t, fmt.Sprintf("%s?tls=true&caPath=%s&certPath=%s&certKeyPath=%s",
		consulTarget(consul), files.CA, files.Client, files.ClientKey))
	awaitService(t, consul, server)
}
