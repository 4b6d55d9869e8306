package interop

import (
	"fmt"
	"strings"
	"testing"

	"troth/test/interop/harness"
)

// A database that takes encrypted connections only, from clients that look at its certificate.
func TestMysqlStoreOverTLS(t *testing.T) {
	t.Parallel()
	certificates, strangers := harness.NewRSACertificates(t), harness.NewRSACertificates(t)
	mariadb := harness.StartMariaDB(t, "--ssl-ca="+certificates.CA, "--ssl-cert="+certificates.Server,
		"--ssl-key="+certificates.ServerKey)
	_, err := mariadb.DB.Exec("create user troth@'127.0.0.1' require ssl")
	must(t, err)
	_, err = mariadb.DB.Exec("grant all on *.* to troth@'127.0.0.1'")
	must(t, err)
	conf := func(tls string) string {
		return fmt.Sprintf("Store: {Driver: mysql, Host: 127.0.0.1, Port: %d, User: troth, Db: tls, %s}", mariadb.Port, tls)
	}
	server := harness.StartTroth(t, harness.TrothOptions{Conf: conf("TlsMode: verify, TlsCaPath: " + certificates.CA)})
	must(t, newMsg(server.GRPC, shared.first.Address, newGid(t)).Submit())

	for name, c := range map[string]struct{ tls, text string }{
		"the certificate of a stranger": {"TlsMode: verify, TlsCaPath: " + strangers.CA, "certificate"},
		"no encryption":                 {"TlsMode: 'off'", "Access denied"},
	} {
		c := c
		t.Run(name, func(t *testing.T) {
			refused := harness.NewTroth(t, harness.TrothOptions{Conf: conf(c.tls)})
			refused.Launch()
			harness.Eventually(t, "the log says why", func() (string, bool) {
				return refused.LogTail(), strings.Contains(refused.Log(), c.text)
			})
			refused.Kill()
		})
	}
}
