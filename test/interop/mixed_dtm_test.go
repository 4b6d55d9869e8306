package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troth/test/interop/harness"
)

// A real dtm server (dtm/go.mod says which) and one of ours on one database in dtm's layout: each goes on
// with what the other has begun, also after its death, so that an operator may go from one to the other in
// steps, and back.

func TestMixedOnMysql(t *testing.T) {
	t.Parallel()
	_, conf := dtmDatabase(t, "mixed")
	testMixed(t, conf)
}

func TestMixedOnPostgres(t *testing.T) {
	t.Parallel()
	_, conf := dtmPostgres(t)
	testMixed(t, conf)
}

func TestMixedOnRedis(t *testing.T) {
	t.Parallel()
	testMixed(t, fmt.Sprintf("Store: {Driver: redis, Host: 127.0.0.1, Port: %d}", harness.StartRedis(t).Port))
}

func testMixed(t *testing.T, conf string) {
	t.Helper()
	m := &mixed{t: t, script: harness.NewScript()}
	m.service = harness.StartHTTP(t, m.script)
	m.dtm = startDtm(t, conf)
	m.troth = harness.StartTroth(t, harness.TrothOptions{Conf: conf})
	m.tccs("begun by dtm", m.dtm.base, m.troth.HTTP)
	m.tccs("begun by troth", m.troth.HTTP, m.dtm.base)
	m.dtmIsKilled()
	m.dtm = startDtm(t, conf)
	m.trothIsKilled()
	m.troth.Start()
	m.tccs("begun by dtm again", m.dtm.base, m.troth.HTTP)
}

// --- A dtm server

type dtm struct {
	base string
	*harness.Process
}

// dtmProgram is $TROTH_DTM: test/interop/run builds it.
func dtmProgram(t *testing.T) string {
	t.Helper()
	program := os.Getenv("TROTH_DTM")
	if program == "" {
		t.Fatal("TROTH_DTM is not set; test/interop/run sets it")
	}
	return program
}

func startDtm(t *testing.T, conf string) *dtm {
	t.Helper()
	program, folder, port := dtmProgram(t), t.TempDir(), harness.FreePort(t)
	// UpdateBranchSync: else dtm forgets with its death which branches have succeeded, and they are called again.
	lines := fmt.Sprintf("HttpPort: %d\nGrpcPort: %d\nJsonRpcPort: %d\nTransCronInterval: 1\nUpdateBranchSync: 1\n%s\n",
		port, harness.FreePort(t), harness.FreePort(t), conf)
	must(t, os.WriteFile(filepath.Join(folder, "conf.yml"), []byte(lines), 0o600))
	d := &dtm{base: fmt.Sprintf("http://127.0.0.1:%d/api/dtmsvr", port)}
	d.Process = harness.StartProcess(t, "dtm", folder, program, "-c", "conf.yml")
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

// --- Both

// mixed is both kinds of servers, with a service whose branches are scripted.
type mixed struct {
	t       *testing.T
	dtm     *dtm
	troth   *harness.Troth
	script  *harness.Script
	service string
}

const mixedCount = 10 // transactions of a kind

func (m *mixed) post(base, operation, body string) {
	m.t.Helper()
	response, err := http.Post(base+"/"+operation, "application/json", strings.NewReader(body))
	must(m.t, err)
	defer response.Body.Close()
	expectEqual(m.t, operation, response.StatusCode, http.StatusOK)
}

// await polls a server of either kind until the transaction has the status.
func (m *mixed) await(base, gid, status string) {
	m.t.Helper()
	harness.EventuallyWithin(m.t, 2*harness.Patience, gid+" is "+status+" at "+base, func() (string, bool) {
		response, err := http.Get(base + "/query?gid=" + gid)
		if err != nil {
			return err.Error(), false
		}
		defer response.Body.Close()
		var found struct{ Transaction struct{ Status string } }
		err = json.NewDecoder(response.Body).Decode(&found)
		return fmt.Sprint(found, err), found.Transaction.Status == status
	})
}

// tccs has requests that go to one kind of server and to the other in turns.
func (m *mixed) tccs(name, one, other string) {
	m.t.Helper()
	const whole = `{"gid":"%s","trans_type":"tcc"}`
	for i := 0; i < mixedCount; i++ {
		gid := fmt.Sprintf("tcc-%s-%d", strings.ReplaceAll(name, " ", "-"), i)
		m.post(one, "prepare", fmt.Sprintf(whole, gid))
		for branch, base := range []string{other, one, other} {
			m.post(base, "registerBranch", fmt.Sprintf(
				`{"gid":"%s","trans_type":"tcc","branch_id":"%02d","status":"prepared","data":"{}","confirm":"%s/c","cancel":"%s/x"}`,
				gid, branch+1, m.service, m.service))
		}
		m.post(one, "submit", fmt.Sprintf(whole, gid))
		m.await(other, gid, "succeed")
		expectEqual(m.t, "calls", m.script.Names(gid), []string{"03 confirm", "02 confirm", "01 confirm"})
	}
}

// sagas are stopped half-way: their second step broke, and is answered with `then` when it is called again.
func (m *mixed) sagas(name, base string, then harness.Reply) []string {
	m.t.Helper()
	gids := []string{}
	for i := 0; i < mixedCount; i++ {
		gid := fmt.Sprintf("saga-%s-%d", name, i)
		gids = append(gids, gid)
		m.script.On(gid, "02", "action", harness.Break("not yet"), then)
		m.post(base, "submit", fmt.Sprintf(
			`{"gid":"%s","trans_type":"saga","retry_interval":5,"steps":[{"action":"%s/a","compensate":"%s/c"},`+
				`{"action":"%s/a","compensate":"%s/c"}],"payloads":["1","2"]}`, gid, m.service, m.service, m.service, m.service))
		m.script.AwaitCall(m.t, gid, "02", "action", 1)
	}
	return gids
}

// Taking over: what a dtm server leaves when it dies goes on at ours.
func (m *mixed) dtmIsKilled() {
	m.t.Helper()
	gids := m.sagas("of-dtm", m.dtm.base, harness.Succeed)
	m.dtm.Kill()
	for _, gid := range gids {
		m.await(m.troth.HTTP, gid, "succeed")
		expectEqual(m.t, "calls", m.script.Names(gid), []string{"01 action", "02 action", "02 action"})
	}
}

// Going back: what ours leaves goes on at dtm.
func (m *mixed) trothIsKilled() {
	m.t.Helper()
	gids := m.sagas("of-troth", m.troth.HTTP, harness.Refuse("no"))
	m.troth.Kill()
	for _, gid := range gids {
		m.await(m.dtm.base, gid, "failed")
		m.script.AwaitCall(m.t, gid, "01", "compensate", 1)
	}
}
