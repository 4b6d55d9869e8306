package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"

	"troth/test/interop/harness"
)

// secureService answers every method and every path, by gRPC and by HTTP, to clients with a
// certificate.
type secureService struct {
	grpc, http string
	calls      atomic.Int64
}

func startSecureService(t *testing.T, certificates *harness.Certificates) *secureService {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(certificates.Server, certificates.ServerKey)
	must(t, err)
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    certificates.ClientConfig().RootCAs,
		MinVersion:   tls.VersionTLS12,
	}
	s := &secureService{}
	s.grpc = s.serveGRPC(t, config.Clone())
	s.http = s.serveHTTP(t, config.Clone())
	return s
}

func (s *secureService) serveGRPC(t *testing.T, config *tls.Config) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)),
		grpc.UnknownServiceHandler(func(_ interface{}, stream grpc.ServerStream) error {
			if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
				return err
			}
			s.calls.Add(1)
			return stream.SendMsg(&emptypb.Empty{})
		}))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func (s *secureService) serveHTTP(t *testing.T, config *tls.Config) string {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.calls.Add(1) })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

func TestServicesWithTLS(t *testing.T) {
	t.Parallel()
	certificates := harness.NewCertificates(t)
	service := startSecureService(t, certificates)
	server := harness.StartTroth(t, harness.TrothOptions{Conf: fmt.Sprintf(
		"OutgoingTls:\n CaPath: '%s'\n CertPath: '%s'\n CertKeyPath: '%s'",
		certificates.CA, certificates.Client, certificates.ClientKey)})
	must(t, newMsg(server.GRPC, "grpcs://"+service.grpc, newGid(t)).Submit())
	expectEqual(t, "calls", service.calls.Load(), int64(2))

	code, answer, err := server.Post("submit", fmt.Sprintf(
		`{"gid":"%s","trans_type":"msg","steps":[{"action":"https://%s/a"}],"payloads":["1"],"wait_result":true}`,
		newGid(t), service.http))
	must(t, err)
	expectEqual(t, answer, code, http.StatusOK)
	expectEqual(t, "calls", service.calls.Load(), int64(3))
}

// An instance's secure endpoints are taken when OutgoingTls is configured, and only then.
func TestRegisteredServicesWithTLS(t *testing.T) {
	t.Parallel()
	certificates := harness.NewCertificates(t)
	service := startSecureService(t, certificates)
	etcd := harness.StartEtcd(t)
	etcd.Put(t, "/microservices/web/1", fmt.Sprintf(
		`{"id":"1","name":"web","version":"","metadata":null,"endpoints":["http://127.0.0.1:1","https://%s","grpcs://%s"]}`,
		service.http, service.grpc))
	server := harness.StartTroth(t, harness.TrothOptions{Etcd: etcd, Conf: fmt.Sprintf(
		"OutgoingTls:\n CaPath: '%s'\n CertPath: '%s'\n CertKeyPath: '%s'",
		certificates.CA, certificates.Client, certificates.ClientKey)})
	const web = `{"gid":"%s","trans_type":"msg","steps":[{"action":"discovery:///web/a"}],"payloads":["1"],"wait_result":true}`
	code, answer, err := server.Post("submit", fmt.Sprintf(web, newGid(t)))
	must(t, err)
	expectEqual(t, answer, code, http.StatusOK)
	expectEqual(t, "calls by HTTP", service.calls.Load(), int64(1))
	must(t, newMsg(server.GRPC, "discovery:///web", newGid(t)).Submit())
	expectEqual(t, "calls", service.calls.Load(), int64(3))

	plain := harness.StartTroth(t, harness.TrothOptions{Etcd: etcd})
	code, answer, err = plain.Post("submit", fmt.Sprintf(web, newGid(t)))
	must(t, err)
	expectEqual(t, answer, code, http.StatusInternalServerError) // the plain endpoint, where nobody is
	expectEqual(t, "calls", service.calls.Load(), int64(3))
}

func TestServicesOfUnknownAuthoritiesAreNotCalled(t *testing.T) {
	t.Parallel()
	service := startSecureService(t, harness.NewCertificates(t))
	server := harness.StartTroth(t, harness.TrothOptions{})
	err := newMsg(server.GRPC, "grpcs://"+service.grpc, newGid(t)).Submit()
	expectError(t, err, "certificate")
	expectEqual(t, "calls", service.calls.Load(), int64(0))
}

func TestAMissingCertificateEndsTheStart(t *testing.T) {
	t.Parallel()
	server := harness.NewTroth(t, harness.TrothOptions{Conf: "OutgoingTls:\n CaPath: 'nowhere.pem'"})
	server.Launch()
	expectEqual(t, "exit code", server.ExitCode(harness.Patience), 1)
	expectText(t, server.Log(), "nowhere.pem")
}

func listenTLS(certificates *harness.Certificates, more string) harness.TrothOptions {
	return harness.TrothOptions{Conf: fmt.Sprintf("ListenTls:\n CertPath: '%s'\n CertKeyPath: '%s'\n%s",
		certificates.Server, certificates.ServerKey, more)}
}

// newGidBothWays asks for a gid by HTTP and by gRPC; an error is that of the first that fails.
func newGidBothWays(server *harness.Troth, config *tls.Config) error {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config.Clone()}, Timeout: harness.Patience}
	defer client.CloseIdleConnections()
	answer, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/api/dtmsvr/newGid", server.HTTPPort))
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("http: %s", answer.Status)
	}
	connection, err := grpc.Dial(server.GRPC, grpc.WithTransportCredentials(credentials.NewTLS(config.Clone())))
	if err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	if _, err := dtmgpb.NewDtmClient(connection).NewGid(ctx, &emptypb.Empty{}); err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	return nil
}

func launchWithTLS(t *testing.T, options harness.TrothOptions, config *tls.Config) *harness.Troth {
	t.Helper()
	server := harness.NewTroth(t, options)
	server.Launch()
	harness.Eventually(t, "troth answers over TLS", func() (string, bool) {
		err := newGidBothWays(server, config)
		return fmt.Sprint(err), err == nil
	})
	return server
}

func TestPortsWithTLS(t *testing.T) {
	t.Parallel()
	certificates := harness.NewCertificates(t)
	config := certificates.ClientConfig()
	config.Certificates = nil
	server := launchWithTLS(t, listenTLS(certificates, ""), config)
	if _, _, err := server.Get("/api/ping"); err == nil {
		t.Error("the port for TLS answers plain HTTP")
	}
	expectError(t, newMsg(server.GRPC, "127.0.0.1:1", newGid(t)).Submit(), "Unavailable")
}

func TestPortsForClientsWithACertificate(t *testing.T) {
	t.Parallel()
	certificates := harness.NewCertificates(t)
	server := launchWithTLS(t, listenTLS(certificates, fmt.Sprintf(" ClientCaPath: '%s'", certificates.CA)),
		certificates.ClientConfig())
	stranger := certificates.ClientConfig()
	stranger.Certificates = nil
	expectError(t, newGidBothWays(server, stranger), "certificate")
	other := harness.NewCertificates(t).ClientConfig() // signed by somebody else
	other.RootCAs = certificates.ClientConfig().RootCAs
	expectError(t, newGidBothWays(server, other), "http")
	must(t, newGidBothWays(server, certificates.ClientConfig()))
}

func TestListenTLSThatCannotBe(t *testing.T) {
	t.Parallel()
	for conf, text := range map[string]string{
		"ListenTls:\n CertPath: 'a.pem'":                               "CertKeyPath",
		"ListenTls:\n ClientCaPath: 'a.pem'":                           "CertPath",
		"ListenTls:\n CertPath: 'no.pem'\n CertKeyPath: 'nowhere.key'": "no.pem",
	} {
		server := harness.NewTroth(t, harness.TrothOptions{Conf: conf})
		server.Launch()
		if code := server.ExitCode(harness.Patience); code == 0 {
			t.Errorf("%s: exit code 0", conf)
		}
		expectText(t, server.Log(), text)
	}
}
