#pragma once
// Sockets of the load generator: one thread, one epoll, loopback or a named host. In each turn it
// reads what has arrived, lets the owner start new work, and then writes once for each connection
// that has something to send.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "bench/transport/protocol.h"

namespace troth::bench {

using Nanos = std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

class EventLoop {
 public:
  using MakeProtocol = std::function<std::unique_ptr<Protocol>()>;
  // Runs after the reads of a turn; returns when it wants to run again at the latest.
  using OnTurn = std::function<SteadyTime()>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Accepts on a free port of 127.0.0.1, which it returns.
  StatusOr<uint16_t> Listen(MakeProtocol make_protocol);
  // Connects now, blocking. The protocol stays the caller's and must outlive the loop.
  Status Connect(const std::string& host_port, Protocol& protocol);

  // Until Stop.
  void Run(const OnTurn& on_turn);
  void Stop() { stopped_ = true; }

 private:
  struct Socket;

  void AddSocket(int fd, Protocol* protocol, std::unique_ptr<Protocol> owned);
  void Wait(SteadyTime until);
  void Accept(Socket& listener);
  void Read(Socket& socket);
  void Write(Socket& socket);
  void WatchWritable(Socket& socket, bool writable);
  void Lose(Socket& socket, const Status& why);
  void WriteAll();
  void RemoveLost();

  const int epoll_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<char> buffer_;
  bool any_lost_ = false;
  bool stopped_ = false;
};

}  // namespace troth::bench
