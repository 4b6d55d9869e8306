package stores

import (
	"fmt"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// A server that is stopped hands back what it could not end: here a call that gets no answer. Another one on
// the same store goes on at once, although the lease has most of its time left.
func handsBack(t *testing.T, store string) {
	t.Helper()
	const longLease, soon = time.Minute, 30 * time.Second
	conf := fmt.Sprintf("%s\nRetryInterval: %d\nTimeoutToFail: 100\nRequestTimeout: 40\nMicroService: {Driver: default}",
		store, int(longLease.Seconds()))
	stopped := harness.StartTroth(t, harness.TrothOptions{Conf: conf})
	other := harness.StartTroth(t, harness.TrothOptions{Conf: conf})
	script := harness.NewScript()
	service := harness.StartHTTP(t, script)
	gid := gidOf(t)
	script.On(gid, "02", "action", harness.Hang, harness.Succeed)
	code, body, err := stopped.Post("submit", fmt.Sprintf(
		`{"gid":"%s","trans_type":"saga","steps":[{"action":"%s/a","compensate":"%s/c"},{"action":"%s/a","compensate":"%s/c"}],`+
			`"payloads":["1","2"]}`, gid, service, service, service, service))
	if err != nil || code != 200 {
		t.Fatalf("submit: %d %s %v", code, body, err)
	}
	script.AwaitCall(t, gid, "02", "action", 1)
	if code := stopped.Terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	other.AwaitWithin(t, soon, gid, "succeed")
	if got, want := fmt.Sprint(script.Names(gid)), "[01 action 02 action 02 action]"; got != want {
		t.Fatalf("calls: %s; want %s", got, want)
	}
}

func TestStoppedServerHandsBackOnMysql(t *testing.T) {
	t.Parallel()
	handsBack(t, mysqlConf(harness.StartMariaDB(t).Port))
}

func TestStoppedServerHandsBackOnPostgres(t *testing.T) {
	t.Parallel()
	handsBack(t, postgresConf(harness.StartPostgres(t).Port))
}

func TestStoppedServerHandsBackOnRedis(t *testing.T) {
	t.Parallel()
	handsBack(t, redisConf(harness.StartRedis(t).Port))
}
