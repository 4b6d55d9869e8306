//go:build dtm

package interop

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"troth/test/interop/harness"
)

// A real dtm server and one of ours on one MySQL database. No dtm comes with this repository: the tests are
// run by
//   TROTH_DTM=/path/to/dtm test/interop/run -tags dtm -run Mixed

// dtm is a Go dtm server on a database.
type dtm struct {
	base string
	*harness.Process
}

func startDtm(t *testing.T, conf string) *dtm {
	t.Helper()
	folder, port := t.TempDir(), harness.FreePort(t)
	lines := fmt.Sprintf("HttpPort: %d\nGrpcPort: %d\nJsonRpcPort: %d\n%s\n", port, harness.FreePort(t), harness.FreePort(t), conf)
	must(t, os.WriteFile(filepath.Join(folder, "conf.yml"), []byte(lines), 0o600))
	d := &dtm{base: fmt.Sprintf("http://127.0.0.1:%d/api/dtmsvr", port)}
	d.Process = harness.StartProcess(t, "dtm", folder, os.Getenv("TROTH_DTM"), "-c", "conf.yml")
	harness.Eventually(t, "dtm answers", func() (string, bool) {
		response, err := http.Get(d.base + "/version")
		if err != nil {
			return err.Error(), false
		}
		defer response.Body.Close()
		return response.Status, response.StatusCode == http.StatusOK
	})
	return d
}

// mixed is both kinds of servers, with a service whose branches are scripted.
type mixed struct {
	t       *testing.T
	conf    string
	dtm     *dtm
	troth   *harness.Troth
	script  *harness.Script
	service string
}

func newMixed(t *testing.T, database string) *mixed {
	t.Helper()
	_, conf := dtmDatabase(t, database)
	m := &mixed{t: t, conf: conf, script: harness.NewScript()}
	m.service = harness.StartHTTP(t, m.script)
	m.dtm = startDtm(t, conf)
	m.troth = harness.StartTroth(t, harness.TrothOptions{Conf: conf})
	return m
}

func (m *mixed) post(base, operation, body string) {
	m.t.Helper()
	response, err := http.Post(base+"/"+operation, "application/json", strings.NewReader(body))
	must(m.t, err)
	defer response.Body.Close()
	expectEqual(m.t, operation, response.StatusCode, http.StatusOK)
}

func (m *mixed) register(base, gid, branch string) {
	m.t.Helper()
	m.post(base, "registerBranch", fmt.Sprintf(
		`{"gid":"%s","trans_type":"tcc","branch_id":"%s","status":"prepared","data":"{}","confirm":"%s/c","cancel":"%s/x"}`,
		gid, branch, m.service, m.service))
}

// A TCC whose requests go to one kind of server and to the other in turns.
func TestMixedTcc(t *testing.T) {
	t.Parallel()
	m := newMixed(t, "mixedtcc")
	for name, bases := range map[string][2]string{
		"begun by dtm": {m.dtm.base, m.troth.HTTP}, "begun by troth": {m.troth.HTTP, m.dtm.base},
	} {
		one, other := bases[0], bases[1]
		t.Run(name, func(t *testing.T) {
			for i := 0; i < 10; i++ {
				gid := newGid(t)
				m.post(one, "prepare", fmt.Sprintf(`{"gid":"%s","trans_type":"tcc"}`, gid))
				m.register(other, gid, "01")
				m.register(one, gid, "02")
				m.register(other, gid, "03")
				m.post(one, "submit", fmt.Sprintf(`{"gid":"%s","trans_type":"tcc"}`, gid))
				m.troth.Await(t, gid, "succeed")
				expectEqual(t, "calls", m.script.Names(gid), []string{"03 confirm", "02 confirm", "01 confirm"})
			}
		})
	}
}

func (m *mixed) saga(gid string) string {
	return fmt.Sprintf(`{"gid":"%s","trans_type":"saga","retry_interval":10,"steps":[{"action":"%s/a","compensate":"%s/c"},`+
		`{"action":"%s/a","compensate":"%s/c"}],"payloads":["1","2"]}`, gid, m.service, m.service, m.service, m.service)
}

// What a dtm server that dies leaves goes on at ours.
func TestMixedDtmIsKilled(t *testing.T) {
	t.Parallel()
	m := newMixed(t, "mixeddtm")
	gids := []string{}
	for i := 0; i < 10; i++ {
		gid := newGid(t)
		gids = append(gids, gid)
		m.script.On(gid, "02", "action", harness.Break("not yet"), harness.Succeed)
		m.post(m.dtm.base, "submit", m.saga(gid))
		m.script.AwaitCall(t, gid, "02", "action", 1)
	}
	m.dtm.Kill()
	for _, gid := range gids {
		m.troth.AwaitWithin(t, time.Minute, gid, "succeed")
		expectEqual(t, "calls", m.script.Names(gid), []string{"01 action", "02 action", "02 action"})
	}
}

// And what ours leaves goes on at dtm: going back.
func TestMixedTrothIsKilled(t *testing.T) {
	t.Parallel()
	m := newMixed(t, "mixedtroth")
	gids := []string{}
	for i := 0; i < 10; i++ {
		gid := newGid(t)
		gids = append(gids, gid)
		m.script.On(gid, "02", "action", harness.Break("not yet"), harness.Refuse("no"))
		m.post(m.troth.HTTP, "submit", m.saga(gid))
		m.script.AwaitCall(t, gid, "02", "action", 1)
	}
	m.troth.Kill()
	for _, gid := range gids {
		m.script.AwaitCall(t, gid, "01", "compensate", 1)
	}
	m.dtm.Kill()
	m.troth.Start()
	for _, gid := range gids {
		m.troth.AwaitWithin(t, time.Minute, gid, "failed")
	}
}
