package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troth/test/interop/harness"
)

func TestTLSToPostgres(t *testing.T) {
	ours, others := harness.NewCertificates(t), harness.NewCertificates(t)
	postgres := harness.StartPostgres(t, "fsync = off")
	postgres.RequireTLS(ours)
	check := func(user, tls string) (string, bool) {
		conf := filepath.Join(t.TempDir(), "conf.yml")
		text := fmt.Sprintf("Store:\n Driver: postgres\n Host: 127.0.0.1\n Port: %d\n User: %s\n Db: postgres\n%s",
			postgres.Port, user, tls)
		must(t, os.WriteFile(conf, []byte(text), 0o600))
		return storeCommand(t, "init", "-c", conf)
	}
	trusted := " TlsMode: verify\n TlsCaPath: " + ours.CA + "\n"
	for _, c := range []struct{ name, user, tls, refusal string }{
		{"encrypted", "postgres", " TlsMode: encrypt\n", ""},
		{"verified", "postgres", trusted, ""},
		{"in the clear", "postgres", " TlsMode: off\n", "Store.TlsMode"},
		{"another authority", "postgres", " TlsMode: verify\n TlsCaPath: " + others.CA + "\n", "SSL error"},
		{"without our certificate", "secured", trusted, "requires a valid client certificate"},
	} {
		output, ok := check(c.user, c.tls)
		if ok != (c.refusal == "") || !strings.Contains(output, c.refusal) {
			t.Errorf("%s: %s", c.name, output)
		}
	}
	postgres.Must("grant all on all tables in schema public to secured")
	shown := trusted + " TlsCertPath: " + ours.Client + "\n TlsCertKeyPath: " + ours.ClientKey + "\n"
	if output, ok := check("secured", shown); !ok {
		t.Errorf("with our certificate: %s", output)
	}
}
