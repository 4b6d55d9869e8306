#include "net/http1_server.h"

#include <utility>

#include "base/check.h"
#include "net/http1_connection_internal.h"
#include "net/listener_internal.h"

namespace troth::net {

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(std::vector<Loop*> on_loops,
       const HttpServerOptions& server_options,
       const Handler& handler);

  void Accept(boost::asio::ip::tcp::socket socket, ConnectionSlot slot);
  void Drain(Duration grace, std::function<void()> done);
  void DrainLoops();
  void LoopDrained();
  void CutAll();

  const std::vector<Loop*> loops;
  const HttpServerOptions options;
  std::vector<std::shared_ptr<HttpServerLoop>> homes;  // one for each loop
  std::shared_ptr<Listener> listener;

  // Only on loops[0].
  std::unique_ptr<Timer> grace_timer;
  size_t loops_not_drained = 0;
  std::function<void()> drained;
};

HttpServer::Impl::Impl(std::vector<Loop*> on_loops,
                       const HttpServerOptions& server_options,
                       const Handler& handler)
    : loops(std::move(on_loops)), options(server_options) {
  TROTH_CHECK(!loops.empty());
  for (Loop* loop : loops)
    homes.push_back(std::make_shared<HttpServerLoop>(*loop, options, handler));
}

void HttpServer::Impl::Accept(boost::asio::ip::tcp::socket socket, ConnectionSlot slot) {
  const std::shared_ptr<HttpServerLoop>& home = homes[slot.index()];
  if (home->draining) return;
  auto connection = std::make_shared<HttpConnection>(home, std::move(socket), std::move(slot));
  home->connections.insert(connection);
  connection->Start();
}

void HttpServer::Impl::Drain(Duration grace, std::function<void()> done) {
  loops[0]->Post([self = shared_from_this(), grace, done = std::move(done)]() mutable {
    self->drained = std::move(done);
    self->grace_timer =
        std::make_unique<Timer>(*self->loops[0], [impl = self.get()] { impl->CutAll(); });
    self->grace_timer->ArmAfter(grace);
    if (self->listener == nullptr) return self->DrainLoops();
    self->listener->Close([self] { self->DrainLoops(); });
  });
}

void HttpServer::Impl::DrainLoops() {
  loops_not_drained = homes.size();
  for (const std::shared_ptr<HttpServerLoop>& home : homes) {
    home->loop.Post([self = shared_from_this(), home] {
      home->draining = true;
      const auto report = [self] { self->loops[0]->Post([self] { self->LoopDrained(); }); };
      if (home->connections.empty()) return report();
      home->on_last_gone = report;
      const auto open = home->connections;  // a connection that closes leaves the set
      for (const auto& connection : open) connection->Drain();
    });
  }
}

void HttpServer::Impl::LoopDrained() {
  if (--loops_not_drained > 0) return;
  grace_timer.reset();
  if (const auto done = std::exchange(drained, nullptr)) done();
}

void HttpServer::Impl::CutAll() {
  for (const std::shared_ptr<HttpServerLoop>& home : homes) {
    home->loop.Post([home] {
      home->draining = true;
      const auto open = home->connections;
      for (const auto& connection : open) connection->Close();
    });
  }
}

HttpServer::HttpServer(std::vector<Loop*> loops, HttpServerOptions options, Handler handler)
    : impl_(std::make_shared<Impl>(std::move(loops), options, handler)) {}

HttpServer::~HttpServer() {
  if (impl_->listener != nullptr) impl_->listener->Close();
  impl_->CutAll();
}

Status HttpServer::Listen(std::string_view address) {
  TROTH_CHECK(impl_->listener == nullptr);
  auto on_accept = [impl = std::weak_ptr<Impl>(impl_)](boost::asio::ip::tcp::socket socket,
                                                       ConnectionSlot slot) {
    if (const auto alive = impl.lock()) alive->Accept(std::move(socket), std::move(slot));
  };
  TROTH_ASSIGN_OR_RETURN(
      impl_->listener,
      Listener::Listen(address, impl_->loops, impl_->options.connections_max, on_accept));
  return OkStatus();
}

uint16_t HttpServer::port() const {
  return impl_->listener != nullptr ? impl_->listener->port() : 0;
}

void HttpServer::Drain(Duration grace, std::function<void()> done) {
  impl_->Drain(grace, std::move(done));
}

size_t HttpServer::connections() const {
  return impl_->listener != nullptr ? impl_->listener->connections() : 0;
}

}  // namespace troth::net
