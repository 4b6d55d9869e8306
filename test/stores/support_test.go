// Package stores runs several troth servers on one shared store, under load of the published Go client,
// while servers, stores and connections fail.
package stores

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// lease is how long a server has a transaction for itself (RetryInterval); nothing smaller is allowed.
const lease = 10 * time.Second

// settleTime is when everything must have ended: orphans wait for a lease, and may meet a second one.
const settleTime = 4 * lease

// long says whether the tests run as long as they should on a machine of their own.
func long() bool { return os.Getenv("TROTH_STORES_LONG") != "" }

// startServers starts troth servers that know nothing of each other, only the store.
func startServers(t *testing.T, count int, store string) []*harness.Troth {
	t.Helper()
	servers := []*harness.Troth{}
	for i := 0; i < count; i++ {
		server := harness.NewTroth(t, harness.TrothOptions{Conf: strings.Join([]string{
			store, "RetryInterval: 10", "TimeoutToFail: 10", "RequestTimeout: 5", "LogLevel: warn",
			"MicroService: {Driver: default}",
		}, "\n")})
		server.Launch()
		servers = append(servers, server)
	}
	for _, server := range servers {
		awaitAnswer(t, server)
	}
	return servers
}

func awaitAnswer(t *testing.T, server *harness.Troth) {
	t.Helper()
	harness.Eventually(t, "troth answers", func() (string, bool) {
		code, _, err := server.Get("/api/ping")
		return fmt.Sprint(code, err), err == nil && code == 200
	})
}

func gidOf(t *testing.T) string { return strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) }
