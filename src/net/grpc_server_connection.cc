#include <utility>

#include "net/grpc_server_internal.h"

namespace troth::net {

namespace {

Http2ConnectionOptions ConnectionOptions(const GrpcServerOptions& options) {
  Http2ConnectionOptions made;
  made.http2.server = true;
  made.http2.streams_max = options.limits.concurrent_streams_max;
  made.http2.stream_window_bytes = options.limits.stream_window_bytes;
  made.http2.connection_window_bytes = options.limits.connection_window_bytes;
  made.http2.header_bytes_max = options.limits.header_bytes_max;
  made.tls = options.tls;
  made.write_buffer_bytes_max = options.limits.write_buffer_bytes_max;
  made.handshake_timeout = options.handshake_timeout;
  made.keepalive_interval = options.keepalive_interval;
  made.keepalive_timeout = options.keepalive_timeout;
  return made;
}

}  // namespace

GrpcServerConnection::GrpcServerConnection(std::shared_ptr<GrpcServerImpl> server,
                                           Socket socket,
                                           ConnectionSlot slot)
    : Http2Connection(
          *server->loops[slot.index()], std::move(socket), ConnectionOptions(server->options)),
      server_(std::move(server)),
      slot_(std::move(slot)),
      idle_timer_(loop(), [this] { Drain(); }),
      age_timer_(loop(), [this] { Drain(); }) {}

void GrpcServerConnection::Begin() {
  server_->connections[slot_.index()].insert(this);
  if (server_->options.age_max > Duration::zero()) age_timer_.ArmAfter(server_->options.age_max);
  Start();
}

void GrpcServerConnection::Drain() {
  idle_timer_.Cancel();
  if (!session().settings_received()) return Close(Unavailable("the server is shutting down"));
  session().StartDrain();
}

bool GrpcServerConnection::Buffer(size_t before, size_t after) {
  buffered_ = buffered_ - before + after;
  return after <= before || buffered_ <= server_->options.limits.receive_buffer_bytes_max;
}

std::shared_ptr<Http2Stream> GrpcServerConnection::OnNewStream() {
  idle_timer_.Cancel();
  auto self = std::static_pointer_cast<GrpcServerConnection>(shared_from_this());
  return std::make_shared<GrpcServerCall>(std::move(self));
}

void GrpcServerConnection::OnReady() { OnStreamGone(); }

void GrpcServerConnection::OnStreamGone() {
  if (closed() || session().streams_open() > 0) return;
  if (server_->options.idle_max > Duration::zero()) idle_timer_.ArmAfter(server_->options.idle_max);
}

void GrpcServerConnection::OnClosed(const Status&) {
  idle_timer_.Cancel();
  age_timer_.Cancel();
  server_->Forget(*this, slot_.index());
}

}  // namespace troth::net
