package stores

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"troth/test/interop/harness"
)

func postgresConf(port int) string {
	return fmt.Sprintf("Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres}", port)
}

func TestServersAreKilledOnPostgres(t *testing.T) {
	t.Parallel()
	killServers(t, postgresConf(harness.StartPostgres(t).Port))
}

// PostgreSQL dies under load and comes back with what it had committed.
func TestPostgresIsKilled(t *testing.T) {
	t.Parallel()
	postgres := harness.StartPostgres(t)
	underLoad(t, postgresConf(postgres.Port), func() {
		postgres.Kill()
		postgres.Start()
	})
}

func TestConnectionsToPostgresAreCut(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartPostgres(t).Address())
	underLoad(t, postgresConf(proxy.Port), proxy.Cut)
	if proxy.Cuts() == 0 {
		t.Fatal("nothing was cut")
	}
}

// What is asked of PostgreSQL is done, and the answer gets lost.
func TestAnswersOfPostgresAreLost(t *testing.T) {
	t.Parallel()
	proxy := harness.StartProxy(t, harness.StartPostgres(t).Address())
	underLoad(t, postgresConf(proxy.Port), func() {
		lost := proxy.Cuts()
		proxy.LoseAnswers(true)
		harness.Eventually(t, "an answer is lost", func() (string, bool) {
			return fmt.Sprint(proxy.Cuts()), proxy.Cuts() > lost
		})
		proxy.LoseAnswers(false)
	})
}

// A second writer takes rows in the order opposite to troth's.
func TestPostgresSeesDeadlocks(t *testing.T) {
	t.Parallel()
	postgres := harness.StartPostgres(t, "deadlock_timeout = 20ms")
	const rival = `do $$ declare r record; begin for r in select id from trans_global order by gid desc limit 200
		loop update trans_global set ext_data = '' where id = r.id; end loop; end $$`
	underLoad(t, postgresConf(postgres.Port), func() {
		for until := time.Now().Add(disturbance); time.Now().Before(until); {
			_, _ = postgres.Query(rival) // it may be the one that loses
		}
	})
}

// Somebody else takes every connection there is.
func TestPostgresHasNoConnectionLeft(t *testing.T) {
	t.Parallel()
	postgres := harness.StartPostgres(t, "max_connections = 12", "superuser_reserved_connections = 3")
	postgres.Must("create role troth login", "grant all on schema public to troth")
	conf := fmt.Sprintf("Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: troth, Db: postgres, ConnMaxLifeTime: 1}",
		postgres.Port)
	underLoad(t, conf, func() {
		others := []*exec.Cmd{}
		for i := 0; i < 12; i++ {
			other := exec.Command("psql", "-X", "-h", "127.0.0.1", "-p", fmt.Sprint(postgres.Port), "-U", "troth",
				"-c", fmt.Sprintf("select pg_sleep(%f)", disturbance.Seconds()), "postgres")
			if err := other.Start(); err != nil {
				t.Fatal(err)
			}
			others = append(others, other)
		}
		harness.Eventually(t, "troth's connections are cut", func() (string, bool) {
			// Those who are refused have a connection until they hear of it, of the superuser's, too.
			answer, err := postgres.Query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'troth'")
			return answer, err == nil
		})
		for _, other := range others {
			_ = other.Wait()
		}
	})
}

// MaxOpenConns leaves everything to one connection.
func TestPostgresWithOneConnection(t *testing.T) {
	t.Parallel()
	postgres := harness.StartPostgres(t)
	conf := fmt.Sprintf("Store: {Driver: postgres, Host: 127.0.0.1, Port: %d, User: postgres, Db: postgres, MaxOpenConns: 1}",
		postgres.Port)
	underLoad(t, conf, func() {
		postgres.Must("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'troth'")
	})
}

// As after a failover that made the server a standby, and another one back.
func TestPostgresIsReadOnly(t *testing.T) {
	t.Parallel()
	postgres := harness.StartPostgres(t)
	underLoad(t, postgresConf(postgres.Port), func() {
		const everybody = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'troth'"
		postgres.Must("alter database postgres set default_transaction_read_only = on", everybody)
		time.Sleep(disturbance)
		postgres.Must("set default_transaction_read_only = off",
			"alter database postgres reset default_transaction_read_only", everybody)
	})
}
