#pragma once
// Accepts TCP connections on one address and hands each socket to the loop that has the fewest
// connections. Shared by HttpServer and GrpcServer. (SO_REUSEPORT instead spreads few long-lived
// connections badly.)

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/loop.h"

namespace troth::net {

// Connections each loop has. Thread-safe.
class LoopLoads {
 public:
  explicit LoopLoads(size_t loops) : counts_(loops) {}
  size_t Total() const;
  size_t LeastLoaded() const;  // index

 private:
  friend class ConnectionSlot;
  std::vector<std::atomic<uint32_t>> counts_;
};

// One counted connection; held by it for as long as it lives. Movable, any thread may destroy it.
class ConnectionSlot {
 public:
  ConnectionSlot(std::shared_ptr<LoopLoads> loads, size_t index);
  ConnectionSlot(ConnectionSlot&& other) noexcept = default;
  ConnectionSlot& operator=(ConnectionSlot&&) = delete;
  ~ConnectionSlot();
  size_t index() const { return index_; }

 private:
  std::shared_ptr<LoopLoads> loads_;
  size_t index_;
};

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Runs on the thread of loops[slot.index()], whose io_context the socket belongs to.
  using OnAccept = std::function<void(boost::asio::ip::tcp::socket socket, ConnectionSlot slot)>;

  // Binds and listens at once; accepting starts when loops[0] runs. `address` is "host:port",
  // "[v6]:port" or ":port" (all interfaces, both families); port 0 picks a free one. The loops
  // outlive the listener. A connection above `connections_max` is closed at once. When file
  // descriptors run out, accepting pauses and goes on by itself. Error: address in use, not
  // permitted, unknown host; the message says what to do.
  static StatusOr<std::shared_ptr<Listener>> Listen(std::string_view address,
                                                    std::vector<Loop*> loops,
                                                    uint32_t connections_max,
                                                    OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;

  uint16_t port() const { return port_; }
  // Connections alive, counted from accept() to the end of their slot.
  size_t connections() const { return loads_->Total(); }
  // Stops listening soon, on loops[0]; OnAccept may still run for sockets already accepted.
  // `closed`, when given, runs there when the port is free. Thread-safe; a second call only runs
  // its `closed`.
  void Close(std::function<void()> closed = nullptr);

 private:
  Listener(int fd,
           uint16_t port,
           std::vector<Loop*> loops,
           uint32_t connections_max,
           OnAccept on_accept);
  void Start();
  void WaitForConnection();
  void AcceptAll();
  // False: nothing more to accept now.
  bool AcceptOne();
  void HandOver(int fd);
  void PauseAccepting(int error);

  const std::vector<Loop*> loops_;
  const uint32_t connections_max_;
  const OnAccept on_accept_;
  const uint16_t port_;
  const std::shared_ptr<LoopLoads> loads_;
  int fd_;  // until Start gives it to descriptor_
  // Only on loops[0].
  std::optional<boost::asio::posix::stream_descriptor> descriptor_;
  std::unique_ptr<Timer> retry_;
  bool closed_ = false;
  bool full_ = false;  // logged already that connections_max is reached
};

}  // namespace troth::net
