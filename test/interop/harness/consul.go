package harness

import (
	"fmt"
	"os"

	consulapi "github.com/hashicorp/consul/api"
)

// Consul is a Consul agent of the test's own, a server that keeps everything in memory: started again
// after Stop it is empty.
type Consul struct {
	Address string // host:port of its API
	Client  *consulapi.Client

	tb      TB
	folder  string
	extra   []string
	tls     bool
	ports   [3]int
	process *Process
}

// ConsulOptions say what differs from an agent that serves everyone in plain HTTP.
type ConsulOptions struct {
	Config string            // in HCL
	TLS    bool              // the API by HTTPS; Config names the certificates
	Client *consulapi.Config // for Consul.Client: its credentials; its address is filled in
}

// StartConsul returns when it serves. The program is named by TROTH_CONSUL.
func StartConsul(tb TB, options ConsulOptions) *Consul {
	tb.Helper()
	c := NewConsul(tb, options)
	c.Start()
	return c
}

// NewConsul reserves the address of an agent that Start starts later.
func NewConsul(tb TB, options ConsulOptions) *Consul {
	tb.Helper()
	c := &Consul{
		Address: fmt.Sprintf("127.0.0.1:%d", FreePort(tb)),
		tb:      tb, folder: tb.TempDir(), tls: options.TLS,
	}
	for i := range c.ports {
		c.ports[i] = FreePort(tb)
	}
	if options.Config != "" {
		c.extra = []string{"-hcl", options.Config}
	}
	config := options.Client
	if config == nil {
		config = &consulapi.Config{}
	}
	config.Address = c.Address
	client, err := consulapi.NewClient(config)
	if err != nil {
		tb.Fatalf("consul client for %s: %v", c.Address, err)
	}
	c.Client = client
	return c
}

// Start starts it, again after Stop, and waits until it serves.
func (c *Consul) Start() {
	c.tb.Helper()
	program := os.Getenv("TROTH_CONSUL")
	if program == "" {
		c.tb.Fatalf("TROTH_CONSUL is not set; test/registries/run sets it")
	}
	var port string
	if _, err := fmt.Sscanf(c.Address, "127.0.0.1:%s", &port); err != nil {
		c.tb.Fatalf("%s: %v", c.Address, err)
	}
	arguments := append([]string{"agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1",
		"-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
		"-server-port", fmt.Sprint(c.ports[0]), "-serf-lan-port", fmt.Sprint(c.ports[1]),
		"-serf-wan-port", fmt.Sprint(c.ports[2])}, c.extra...)
	if c.tls {
		arguments = append(arguments, "-http-port", "-1", "-https-port", port)
	} else {
		arguments = append(arguments, "-http-port", port)
	}
	c.process = StartProcess(c.tb, "consul", c.folder, program, arguments...)
	Eventually(c.tb, "consul serves", func() (string, bool) {
		if !c.process.Running() {
			c.tb.Fatalf("consul ended:\n%s", c.process.LogTail())
		}
		leader, err := c.Client.Status().Leader()
		return fmt.Sprint(leader, err), err == nil && leader != ""
	})
}

// Stop kills it, as a crash would.
func (c *Consul) Stop() { c.process.Kill() }

// Service is what the agent has of a service id; nil when it has none.
func (c *Consul) Service(id string) *consulapi.AgentService {
	c.tb.Helper()
	services, err := c.Client.Agent().Services()
	if err != nil {
		return nil
	}
	return services[id]
}

// Passing are the instances that Consul tells its clients, as host:port.
func (c *Consul) Passing(name string) []string {
	c.tb.Helper()
	entries, _, err := c.Client.Health().Service(name, "", true, &consulapi.QueryOptions{})
	if err != nil {
		return nil
	}
	addresses := []string{}
	for _, entry := range entries {
		addresses = append(addresses, fmt.Sprintf("%s:%d", entry.Service.Address, entry.Service.Port))
	}
	return addresses
}

// AwaitPassing waits until n instances of a service pass their checks. Consul probes a new one after up
// to ten seconds.
func (c *Consul) AwaitPassing(tb TB, name string, n int) {
	tb.Helper()
	Eventually(tb, fmt.Sprintf("%d instances of %s pass", n, name), func() (string, bool) {
		passing := c.Passing(name)
		return fmt.Sprint(passing), len(passing) == n
	})
}
