package stores

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"troth/test/interop/harness"
)

func redisConf(port int) string {
	return fmt.Sprintf("Store: {Driver: redis, Host: 127.0.0.1, Port: %d}", port)
}

func TestServersAreKilledOnRedis(t *testing.T) {
	t.Parallel()
	killServers(t, redisConf(harness.StartRedis(t).Port))
}

// Redis dies under load and comes back with what it had written.
func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	redis := harness.StartRedis(t)
	underLoad(t, redisConf(redis.Port), func() {
		redis.Kill()
		redis.Start()
	})
}

// The master dies again and again, and its replica takes its place: nothing acknowledged is lost, since
// acknowledged is what the replica has.
func TestRedisFailsOver(t *testing.T) {
	t.Parallel()
	const failovers = 4
	servers, hosts := []*harness.Redis{}, []string{}
	for i := 0; i <= failovers; i++ { // each the replica of the one before
		options := []string{"repl-diskless-sync-delay 0"}
		if i > 0 {
			options = append(options, fmt.Sprintf("replicaof 127.0.0.1 %d", servers[i-1].Port))
		}
		server := harness.StartRedis(t, options...)
		harness.Eventually(t, "the replica has what there is", func() (string, bool) {
			info := server.Cli("info", "replication")
			return info, i == 0 || strings.Contains(info, "master_link_status:up")
		})
		servers, hosts = append(servers, server), append(hosts, server.Address())
	}
	master := 0
	underLoad(t, fmt.Sprintf("Store: {Driver: redis, Host: '%s', Port: 1, RedisWaitReplicas: 1}", strings.Join(hosts, ",")), func() {
		if master == failovers-1 { // the last one has no replica
			return
		}
		servers[master].Kill()
		master++
		servers[master].Cli("replicaof", "no", "one")
	})
}

func TestConnectionsToRedisAreCut(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartRedis(t).Address())
	underLoad(t, redisConf(proxy.Port), proxy.Cut)
	if proxy.Cuts() == 0 {
		t.Fatal("nothing was cut")
	}
}

// What is asked of Redis is done, and the answer gets lost.
func TestAnswersOfRedisAreLost(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartRedis(t).Address())
	underLoad(t, redisConf(proxy.Port), func() {
		lost := proxy.Cuts()
		proxy.LoseAnswers(true)
		harness.Eventually(t, "an answer is lost", func() (string, bool) {
			return fmt.Sprint(proxy.Cuts()), proxy.Cuts() > lost
		})
		proxy.LoseAnswers(false)
	})
}

func TestRedisIsSlow(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartRedis(t).Address())
	underLoad(t, redisConf(proxy.Port), func() {
		proxy.SlowDown(50 * time.Millisecond)
		time.Sleep(disturbance)
		proxy.SlowDown(0)
	})
}

func TestRedisIsOutOfMemory(t *testing.T) {
	t.Parallel()
	redis := harness.StartRedis(t)
	underLoad(t, redisConf(redis.Port), func() {
		redis.Cli("config", "set", "maxmemory", "1")
		time.Sleep(disturbance)
		redis.Cli("config", "set", "maxmemory", "0")
	})
}

// A master that is made a replica refuses writes; it keeps its data, since its new master is not there.
func TestRedisIsReadOnly(t *testing.T) {
	t.Parallel()
	redis := harness.StartRedis(t)
	nobody := fmt.Sprint(harness.FreePort(t))
	underLoad(t, redisConf(redis.Port), func() {
		redis.Cli("replicaof", "127.0.0.1", nobody)
		time.Sleep(disturbance)
		redis.Cli("replicaof", "no", "one")
	})
}

// startSecureRedis takes TLS on a second port, from clients that show a certificate and a password.
func startSecureRedis(t *testing.T, certificates *harness.Certificates) (tlsPort int) {
	t.Helper()
	tlsPort = harness.FreePort(t)
	harness.StartRedis(t, fmt.Sprintf("tls-port %d", tlsPort),
		"tls-cert-file "+certificates.Server, "tls-key-file "+certificates.ServerKey,
		"tls-ca-cert-file "+certificates.CA, "tls-auth-clients yes",
		"user troth on >secret ~{a}_* +@all -@dangerous +info +role", "user default on nopass +@all")
	return tlsPort
}

func secureConf(port int, certificates *harness.Certificates) string {
	return strings.Join([]string{
		"Store:", "  Driver: redis", "  Host: 127.0.0.1", fmt.Sprintf("  Port: %d", port),
		"  User: troth", "  Password: secret", "  TlsMode: verify", "  TlsCaPath: " + certificates.CA,
		"  TlsCertPath: " + certificates.Client, "  TlsCertKeyPath: " + certificates.ClientKey,
	}, "\n")
}

// By TLS, with an account that may do no more than docs/stores.md says, while connections are cut.
func TestRedisWithTls(t *testing.T) {
	t.Parallel()
	certificates := harness.NewCertificates(t)
	port := startSecureRedis(t, certificates)
	proxy := harness.StartProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	underLoad(t, secureConf(proxy.Port, certificates), proxy.Cut)
}

func TestRedisWhoseCertificateIsNotSigned(t *testing.T) {
	t.Parallel()
	certificates := harness.NewCertificates(t)
	port := startSecureRedis(t, certificates)
	conf := strings.Replace(secureConf(port, certificates), certificates.CA, harness.NewCertificates(t).CA, 1)
	server := harness.NewTroth(t, harness.TrothOptions{Conf: conf})
	server.Launch()
	if code := server.ExitCode(harness.Patience); code != 1 || !strings.Contains(server.Log(), "its certificate is refused") {
		t.Fatalf("exit code %d: %s", code, server.LogTail())
	}
}
