// Command trans is a Kratos service that moves money. It listens for gRPC, registers itself in etcd
// as `trans`, and prints a line for everything it is asked to do. It knows nothing of transactions.
package main

import (
	"context"
	"flag"
	"log"
	"strings"

	etcdregistry "github.com/go-kratos/kratos/contrib/registry/etcd/v2"
	"github.com/go-kratos/kratos/v2"
	"github.com/go-kratos/kratos/v2/transport/grpc"
	clientv3 "go.etcd.io/etcd/client/v3"

	v1 "troth/examples/kratos/api/trans/v1"
)

type transService struct {
	v1.UnimplementedTransServer
}

func (transService) TransOut(_ context.Context, info *v1.AdjustInfo) (*v1.Response, error) {
	log.Printf("transfer out %d cents from %d", info.Amount, info.UserID)
	return &v1.Response{}, nil
}

func (transService) TransIn(_ context.Context, info *v1.AdjustInfo) (*v1.Response, error) {
	log.Printf("transfer in %d cents to %d", info.Amount, info.UserID)
	return &v1.Response{}, nil
}

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "127.0.0.1:9000", "address of the gRPC server")
	etcd := flag.String("etcd", "127.0.0.1:2379", "etcd, as host:port[,host:port]")
	name := flag.String("name", "trans", "name to register under")
	flag.Parse()

	client, err := clientv3.New(clientv3.Config{Endpoints: strings.Split(*etcd, ",")})
	if err != nil {
		log.Fatalf("connect to etcd at %s: %v", *etcd, err)
	}
	defer client.Close()

	server := grpc.NewServer(grpc.Address(*listen))
	v1.RegisterTransServer(server, transService{})
	app := kratos.New(
		kratos.Name(*name),
		kratos.Server(server),
		kratos.Registrar(etcdregistry.New(client)),
	)
	if err := app.Run(); err != nil {
		log.Fatalf("serve on %s: %v", *listen, err)
	}
}
