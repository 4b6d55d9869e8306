package harness

import (
	"context"
	"database/sql"
	stderrors "errors"
	"net"

	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v1 "troth/examples/kratos/api/trans/v1"
)

func serveBankGRPC(b *Bank) stopper {
	b.tb.Helper()
	listener, err := net.Listen("tcp", b.Address)
	if err != nil {
		b.tb.Fatalf("the bank cannot listen: %v", err)
	}
	server := grpc.NewServer()
	v1.RegisterTransServer(server, &bankGRPC{bank: b})
	go func() { _ = server.Serve(listener) }()
	return stopper{server.Stop}
}

type bankGRPC struct {
	v1.UnimplementedTransServer
	bank *Bank
}

func (s *bankGRPC) TransOut(ctx context.Context, in *v1.AdjustInfo) (*v1.Response, error) {
	return s.answer(ctx, "/api.trans.v1.Trans/TransOut", in.UserID, -in.Amount)
}

func (s *bankGRPC) TransIn(ctx context.Context, in *v1.AdjustInfo) (*v1.Response, error) {
	return s.answer(ctx, "/api.trans.v1.Trans/TransIn", in.UserID, in.Amount)
}

func (s *bankGRPC) answer(ctx context.Context, method string, account, delta int64) (*v1.Response, error) {
	call := Call{Method: method}
	incoming, _ := metadata.FromIncomingContext(ctx)
	for name, field := range map[string]*string{
		"dtm-gid": &call.Gid, "dtm-trans_type": &call.TransType, "dtm-branch_id": &call.Branch, "dtm-op": &call.Op,
	} {
		if values := incoming[name]; len(values) > 0 {
			*field = values[0]
		}
	}
	err := s.bank.script.answer(ctx, call)
	var scripted *answer
	switch {
	case stderrors.As(err, &scripted):
		err = scripted.grpc
	case err == nil && call.TransType == "xa":
		err = s.xa(ctx, account, delta)
	case err == nil:
		err = s.underBarrier(ctx, account, delta)
	}
	if err != nil {
		return nil, dtmgrpc.DtmError2GrpcError(err)
	}
	return &v1.Response{}, nil
}

func (s *bankGRPC) xa(ctx context.Context, account, delta int64) error {
	mariadb := s.bank.MariaDB
	return mariadb.AwaitDetached(func(connection *int64) error {
		return dtmgrpc.XaLocalTransaction(ctx, mariadb.Conf, func(db *sql.DB, _ *dtmgrpc.XaGrpc) error {
			return bookXa(db, connection, account, delta)
		})
	})
}

func (s *bankGRPC) underBarrier(ctx context.Context, account, delta int64) error {
	barrier, err := dtmgrpc.BarrierFromGrpc(ctx)
	if err != nil {
		return err
	}
	return s.bank.underBarrier(barrier, account, delta)
}
