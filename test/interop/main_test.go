// Package interop runs the published Go client and real Kratos services against the troth binary.
package interop

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/dtm-labs/driver-kratos"

	"troth/test/interop/harness"
)

// What tests share that break nothing: one etcd, one troth, two instances of the service `trans`, an
// HTTP service and a database. Tests keep apart by their gids.
var shared struct {
	etcd    *harness.Etcd
	troth   *harness.Troth
	script  *harness.Script
	first   *harness.KratosService
	second  *harness.KratosService
	http    string // base URL of the HTTP service
	mariadb *harness.MariaDB
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	tb := &mainTB{}
	defer tb.cleanUp()
	shared.script = harness.NewScript()
	shared.etcd = harness.StartEtcd(tb)
	shared.mariadb = harness.StartMariaDB(tb)
	harness.UseStore(tb)
	shared.first = harness.StartKratos(tb, harness.KratosOptions{
		Name: "trans", Etcd: shared.etcd, Instance: "first", Script: shared.script,
	})
	shared.second = harness.StartKratos(tb, harness.KratosOptions{
		Name: "trans", Etcd: shared.etcd, Instance: "second", Script: shared.script,
	})
	shared.http = harness.StartHTTP(tb, shared.script)
	shared.troth = harness.StartTroth(tb, harness.TrothOptions{
		Etcd: shared.etcd,
		Conf: "RequestTimeout: 20", // no call is made again because the machine stood still for three seconds
	})
	awaitRegistered(tb, shared.etcd)
	code := m.Run()
	tb.failed = code != 0
	return code
}

func awaitRegistered(tb harness.TB, etcd *harness.Etcd) {
	harness.Eventually(tb, "troth is registered in etcd", func() (string, bool) {
		keys := etcd.Keys(tb, "/microservices/dtmservice/")
		return fmt.Sprint(keys), len(keys) > 0
	})
}

var gids int64

// newGid makes a gid that tells where it comes from.
func newGid(t *testing.T) string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), atomic.AddInt64(&gids, 1))
}

// mainTB is the harness.TB of what lives as long as all tests.
type mainTB struct {
	mutex    sync.Mutex
	cleanups []func()
	failed   bool
}

func (tb *mainTB) Helper()      {}
func (tb *mainTB) Failed() bool { return tb.failed }

func (tb *mainTB) Logf(format string, args ...interface{}) { fmt.Printf(format+"\n", args...) }

func (tb *mainTB) Fatalf(format string, args ...interface{}) {
	tb.Logf(format, args...)
	tb.failed = true
	tb.cleanUp()
	os.Exit(1)
}

func (tb *mainTB) Cleanup(cleanup func()) {
	tb.mutex.Lock()
	defer tb.mutex.Unlock()
	tb.cleanups = append(tb.cleanups, cleanup)
}

func (tb *mainTB) TempDir() string {
	folder, err := os.MkdirTemp("", "troth-interop-")
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func (tb *mainTB) cleanUp() {
	tb.mutex.Lock()
	cleanups := tb.cleanups
	tb.cleanups = nil
	tb.mutex.Unlock()
	for i := len(cleanups) - 1; i >= 0; i-- {
		cleanups[i]()
	}
}

// soon is how long a test watches for something that must not happen.
const soon = 1500 * time.Millisecond
