package harness

import (
	"context"
	stderrors "errors"
	"fmt"
	"net"
	"syscall"

	etcdregistry "github.com/go-kratos/kratos/contrib/registry/etcd/v2"
	"github.com/go-kratos/kratos/v2"
	"github.com/go-kratos/kratos/v2/registry"
	kratosgrpc "github.com/go-kratos/kratos/v2/transport/grpc"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v1 "troth/examples/kratos/api/trans/v1"
)

// KratosService is an instance of a Kratos service that answers by a script. It has the methods of the
// example's api.trans.v1.Trans.
type KratosService struct {
	Address string // host:port

	tb     TB
	app    *kratos.App
	cancel context.CancelFunc
	server *kratosgrpc.Server
	done   chan error
}

// KratosOptions say how an instance presents itself.
type KratosOptions struct {
	Name     string // to register under; "" registers nowhere
	Etcd     *Etcd
	Registry registry.Registrar // instead of Etcd
	Address  string             // host:port to listen on; "" chooses
	Instance string             // for Call.Instance
	Script   *Script
}

// StartKratos returns when the service listens and is registered.
func StartKratos(tb TB, options KratosOptions) *KratosService {
	tb.Helper()
	if options.Address == "" {
		options.Address = fmt.Sprintf("127.0.0.1:%d", FreePort(tb))
	}
	k := &KratosService{Address: options.Address, tb: tb, done: make(chan error, 1)}
	// Timeout 0: Kratos would cancel handlers after one second, and tests want to decide themselves.
	k.server = kratosgrpc.NewServer(kratosgrpc.Address(options.Address), kratosgrpc.Timeout(0))
	v1.RegisterTransServer(k.server, &scriptedTrans{script: options.Script, instance: options.Instance})
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(context.Background())
	settings := []kratos.Option{
		kratos.Name(options.Name),
		kratos.Server(k.server),
		kratos.Context(ctx),
		kratos.Signal(syscall.SIGUSR1), // those that end the tests are not for Kratos
	}
	if options.Name != "" {
		if options.Registry == nil {
			options.Registry = k.registrar(options.Etcd)
		}
		settings = append(settings, kratos.Registrar(options.Registry))
	}
	k.app = kratos.New(settings...)
	go func() { k.done <- k.app.Run() }()
	tb.Cleanup(k.Stop)
	k.awaitReady(options)
	return k
}

// Stop removes the instance from the registry and ends it; calls in progress are cut off. Harmless
// when repeated.
func (k *KratosService) Stop() {
	if k.done == nil {
		return
	}
	_ = k.app.Stop()       // gives up when it cannot deregister
	k.cancel()             // so this ends it in any case
	k.server.Server.Stop() // Kratos waits for calls in progress, and some of ours hang on purpose
	<-k.done
	k.done = nil
}

func (k *KratosService) registrar(etcd *Etcd) registry.Registrar {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{etcd.Address},
		Logger:    quietLogger(),
	})
	if err != nil {
		k.tb.Fatalf("etcd client for %s: %v", etcd.Address, err)
	}
	k.tb.Cleanup(func() { _ = client.Close() })
	return etcdregistry.New(client)
}

func (k *KratosService) awaitReady(options KratosOptions) {
	k.tb.Helper()
	Eventually(k.tb, "the Kratos service is ready", func() (string, bool) {
		connection, err := net.Dial("tcp", k.Address)
		if err != nil {
			return err.Error(), false
		}
		_ = connection.Close()
		if options.Name == "" {
			return "", true
		}
		return "not registered", len(k.app.Endpoint()) > 0
	})
}

type scriptedTrans struct {
	v1.UnimplementedTransServer
	script   *Script
	instance string
}

func (s *scriptedTrans) TransOut(ctx context.Context, in *v1.AdjustInfo) (*v1.Response, error) {
	return s.answer(ctx, "/api.trans.v1.Trans/TransOut", in)
}

func (s *scriptedTrans) TransIn(ctx context.Context, in *v1.AdjustInfo) (*v1.Response, error) {
	return s.answer(ctx, "/api.trans.v1.Trans/TransIn", in)
}

func (s *scriptedTrans) answer(ctx context.Context, method string, in *v1.AdjustInfo) (*v1.Response, error) {
	payload, err := proto.Marshal(in)
	if err != nil {
		return nil, err
	}
	call := Call{Method: method, Payload: string(payload), Headers: map[string]string{}, Instance: s.instance}
	incoming, _ := metadata.FromIncomingContext(ctx)
	for name, values := range incoming {
		call.Headers[name] = values[0]
	}
	call.Gid, call.TransType = call.Headers["dtm-gid"], call.Headers["dtm-trans_type"]
	call.Branch, call.Op = call.Headers["dtm-branch_id"], call.Headers["dtm-op"]
	err = s.script.answer(ctx, call)
	var scripted *answer
	if stderrors.As(err, &scripted) {
		err = scripted.grpc
	}
	return &v1.Response{}, err
}
