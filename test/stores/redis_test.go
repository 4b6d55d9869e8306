package stores

import (
	"fmt"
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
