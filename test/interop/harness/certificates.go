package harness

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Certificates are the files of an authority and of two parties it vouches for, in PEM.
type Certificates struct {
	CA                string
	Server, ServerKey string // for localhost and 127.0.0.1
	Client, ClientKey string
	authority         *x509.Certificate
	authorityKey      crypto.Signer
	newKey            func() (crypto.Signer, error)
	folder            string
	tb                TB
}

// NewCertificates makes them, with keys that cost little.
func NewCertificates(tb TB) *Certificates {
	tb.Helper()
	return newCertificates(tb, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
}

// NewRSACertificates are for servers whose TLS library has elliptic curves only when it is told so, and that do
// not tell it: MySQL 8.0.15 with OpenSSL 1.0.
func NewRSACertificates(tb TB) *Certificates {
	tb.Helper()
	return newCertificates(tb, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })
}

func newCertificates(tb TB, newKey func() (crypto.Signer, error)) *Certificates {
	tb.Helper()
	c := &Certificates{newKey: newKey, folder: tb.TempDir(), tb: tb}
	key := c.mustNewKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	c.authority, c.authorityKey = template, key
	c.CA, _ = c.issue("ca", template, key)
	c.Server, c.ServerKey = c.leaf("server", 2)
	c.Client, c.ClientKey = c.leaf("client", 3)
	return c
}

// ClientConfig is what a client needs that shows its certificate.
func (c *Certificates) ClientConfig() *tls.Config {
	c.tb.Helper()
	pair, err := tls.LoadX509KeyPair(c.Client, c.ClientKey)
	if err != nil {
		c.tb.Fatalf("%v", err)
	}
	pool := x509.NewCertPool()
	text, err := os.ReadFile(c.CA)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		c.tb.Fatalf("no authority in %s: %v", c.CA, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func (c *Certificates) leaf(name string, serial int64) (certificate, key string) {
	return c.issue(name, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost", "server.dc1.consul"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, c.mustNewKey())
}

func (c *Certificates) mustNewKey() crypto.Signer {
	key, err := c.newKey()
	if err != nil {
		c.tb.Fatalf("%v", err)
	}
	return key
}

func (c *Certificates) issue(name string, template *x509.Certificate, key crypto.Signer) (string, string) {
	der, err := x509.CreateCertificate(rand.Reader, template, c.authority, key.Public(), c.authorityKey)
	if err != nil {
		c.tb.Fatalf("certificate %s: %v", name, err)
	}
	return c.write(name+".pem", "CERTIFICATE", der), c.writeKey(name+".key", key)
}

func (c *Certificates) writeKey(name string, key crypto.Signer) string {
	if plain, ok := key.(*rsa.PrivateKey); ok { // in the one form that MySQL 5.7 reads, too
		return c.write(name, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(plain))
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		c.tb.Fatalf("%s: %v", name, err)
	}
	return c.write(name, "PRIVATE KEY", der)
}

func (c *Certificates) write(name, kind string, bytes []byte) string {
	path := filepath.Join(c.folder, name)
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		c.tb.Fatalf("%v", err)
	}
	return path
}
