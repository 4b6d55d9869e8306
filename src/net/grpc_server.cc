#include "net/grpc_server.h"

#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "net/grpc_server_internal.h"

namespace troth::net {

GrpcServerImpl::GrpcServerImpl(std::vector<Loop*> on_loops, GrpcServerOptions server_options)
    : loops(std::move(on_loops)), options(std::move(server_options)), connections(loops.size()) {}

const GrpcMethod* GrpcServerImpl::FindMethod(std::string_view path, GrpcStatus& error) const {
  const auto found = methods.find(path);
  if (found != methods.end()) return &found->second;
  error.code = GrpcCode::kUnimplemented;
  const size_t slash = path.rfind('/');
  if (!path.starts_with('/') || slash == 0) {
    error.message = Cat("malformed method name: \"", path, "\"");
    return nullptr;
  }
  const std::string_view service = path.substr(1, slash - 1);
  const std::string_view method = path.substr(slash + 1);
  error.message = services.contains(service)
                      ? Cat("unknown method ", method, " for service ", service)
                      : Cat("unknown service ", service);
  return nullptr;
}

void GrpcServerImpl::Accept(Http2Connection::Socket socket, ConnectionSlot slot) {
  if (destroyed) return;
  ++connection_count;
  auto connection = std::make_shared<GrpcServerConnection>(
      shared_from_this(), std::move(socket), std::move(slot));
  connection->Begin();
  if (draining) connection->Drain();
}

void GrpcServerImpl::Forget(GrpcServerConnection& connection, size_t loop_index) {
  connections[loop_index].erase(&connection);
  if (--connection_count > 0 || !draining) return;
  loops[0]->Post([self = shared_from_this()] {
    if (self->connection_count == 0) self->FinishDrain();
  });
}

void GrpcServerImpl::OnEachLoop(const std::function<void(size_t loop_index)>& work) {
  for (size_t i = 0; i < loops.size(); ++i) {
    loops[i]->Post([self = shared_from_this(), work, i] { work(i); });
  }
}

void GrpcServerImpl::StartDrain(Duration grace, std::function<void()> done) {
  if (draining.exchange(true)) return;
  drained = std::move(done);
  grace_timer = std::make_unique<Timer>(*loops[0], [this] {
    OnEachLoop([this](size_t i) {
      for (GrpcServerConnection* connection :
           std::vector(connections[i].begin(), connections[i].end())) {
        connection->Close(Unavailable("the server has stopped"));
      }
    });
    FinishDrain();
  });
  grace_timer->ArmAfter(grace);
  const auto drain_connections = [this] {
    OnEachLoop([this](size_t i) {
      for (GrpcServerConnection* connection :
           std::vector(connections[i].begin(), connections[i].end())) {
        connection->Drain();
      }
    });
    if (connection_count == 0) FinishDrain();
  };
  if (listener == nullptr) return drain_connections();
  listener->Close([self = shared_from_this(), drain_connections] { drain_connections(); });
}

void GrpcServerImpl::FinishDrain() {
  if (grace_timer != nullptr) grace_timer->Cancel();
  if (const std::function<void()> done = std::exchange(drained, nullptr)) done();
}

GrpcServer::GrpcServer(std::vector<Loop*> loops, GrpcServerOptions options)
    : impl_(std::make_shared<GrpcServerImpl>(std::move(loops), std::move(options))) {
  TROTH_CHECK(!impl_->loops.empty());
}

GrpcServer::~GrpcServer() {
  impl_->destroyed = true;
  if (impl_->listener != nullptr) impl_->listener->Close();
  GrpcServerImpl* impl = impl_.get();
  impl_->OnEachLoop([impl](size_t i) {
    for (GrpcServerConnection* connection :
         std::vector(impl->connections[i].begin(), impl->connections[i].end())) {
      connection->Close(Unavailable("the server has stopped"));
    }
  });
}

void GrpcServer::AddUnary(std::string path, UnaryMethod method) {
  TROTH_CHECK(impl_->listener == nullptr && path.rfind('/') > 0 &&
              path.rfind('/') != std::string::npos);
  impl_->services.insert(path.substr(1, path.rfind('/') - 1));
  impl_->methods[std::move(path)] = std::move(method);
}

void GrpcServer::AddStream(std::string path, StreamMethod method) {
  TROTH_CHECK(impl_->listener == nullptr && path.rfind('/') > 0 &&
              path.rfind('/') != std::string::npos);
  impl_->services.insert(path.substr(1, path.rfind('/') - 1));
  impl_->methods[std::move(path)] = std::move(method);
}

Status GrpcServer::Listen(std::string_view address) {
  TROTH_CHECK(impl_->listener == nullptr);
  GrpcServerImpl* impl = impl_.get();
  TROTH_ASSIGN_OR_RETURN(impl_->listener,
                         Listener::Listen(address,
                                          impl_->loops,
                                          impl_->options.connections_max,
                                          [weak = std::weak_ptr(impl->shared_from_this())](
                                              Http2Connection::Socket socket, ConnectionSlot slot) {
                                            if (const auto self = weak.lock())
                                              self->Accept(std::move(socket), std::move(slot));
                                          }));
  return OkStatus();
}

uint16_t GrpcServer::port() const {
  return impl_->listener == nullptr ? 0 : impl_->listener->port();
}

void GrpcServer::Drain(Duration grace, std::function<void()> done) {
  impl_->loops[0]->Post([impl = impl_, grace, done = std::move(done)]() mutable {
    impl->StartDrain(grace, std::move(done));
  });
}

size_t GrpcServer::connections() const {
  return impl_->listener == nullptr ? 0 : impl_->listener->connections();
}

}  // namespace troth::net
