#include "bench/transport/event_loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace troth::bench {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr int kEventsPerTurn = 256;
constexpr int kBacklog = 1024;

std::string ErrorText(int error) { return std::strerror(error); }  // NOLINT(concurrency-mt-unsafe)

void MakeFast(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

}  // namespace

struct EventLoop::Socket {
  int fd;
  Protocol* protocol;               // null: a listener
  std::unique_ptr<Protocol> owned;  // of an accepted connection
  MakeProtocol make_protocol;       // of a listener
  bool watches_writable = false;
  bool lost = false;
};

EventLoop::EventLoop() : epoll_(::epoll_create1(0)), buffer_(kReadBytes) {
  TROTH_CHECK(epoll_ >= 0);
  ::prctl(PR_SET_TIMERSLACK, 1);  // an open loop starts work every few microseconds
}

EventLoop::~EventLoop() {
  for (const auto& socket : sockets_) {
    if (!socket->lost) ::close(socket->fd);
  }
  ::close(epoll_);
}

StatusOr<uint16_t> EventLoop::Listen(MakeProtocol make_protocol) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    ::close(fd);
    return Unavailable(Cat("cannot listen on 127.0.0.1: ", ErrorText(errno)));
  }
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  MakeFast(fd);
  AddSocket(fd, nullptr, nullptr);
  sockets_.back()->make_protocol = std::move(make_protocol);
  return ntohs(address.sin_port);
}

Status EventLoop::Connect(const std::string& host_port, Protocol& protocol) {
  const size_t colon = host_port.rfind(':');
  if (colon == std::string::npos) return InvalidArgument(Cat("no port in ", host_port));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(
      host_port.substr(0, colon).c_str(), host_port.substr(colon + 1).c_str(), &hints, &found);
  if (failed != 0)
    return Unavailable(Cat("cannot resolve ", host_port, ": ", gai_strerror(failed)));
  const int fd = ::socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  const bool connected = ::connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  const int error = errno;
  ::freeaddrinfo(found);
  if (!connected) {
    ::close(fd);
    return Unavailable(Cat("cannot connect to ", host_port, ": ", ErrorText(error)));
  }
  MakeFast(fd);
  AddSocket(fd, &protocol, nullptr);
  return OkStatus();
}

void EventLoop::AddSocket(int fd, Protocol* protocol, std::unique_ptr<Protocol> owned) {
  auto socket = std::make_unique<Socket>(Socket{.fd = fd, .protocol = protocol, .owned = {}});
  socket->owned = std::move(owned);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = socket.get()}};
  TROTH_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  sockets_.push_back(std::move(socket));
}

void EventLoop::Run(const OnTurn& on_turn) {
  stopped_ = false;
  while (!stopped_) {
    const SteadyTime next = on_turn();
    WriteAll();
    RemoveLost();
    if (!stopped_) Wait(next);
  }
}

void EventLoop::Wait(SteadyTime until) {
  const Nanos left = std::max(Nanos(0), Nanos(until - std::chrono::steady_clock::now()));
  const timespec timeout{.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000),
                         .tv_nsec = static_cast<long>(left.count() % 1'000'000'000)};
  std::array<epoll_event, kEventsPerTurn> events;
  const int count = ::epoll_pwait2(epoll_, events.data(), kEventsPerTurn, &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    auto& socket = *static_cast<Socket*>(events[static_cast<size_t>(i)].data.ptr);
    if (socket.lost) continue;
    if (socket.protocol == nullptr) {
      Accept(socket);
    } else {
      Read(socket);
    }
  }
}

void EventLoop::Accept(Socket& listener) {
  for (int fd; (fd = ::accept(listener.fd, nullptr, nullptr)) >= 0;) {
    MakeFast(fd);
    std::unique_ptr<Protocol> protocol = listener.make_protocol();
    Protocol* borrowed = protocol.get();
    AddSocket(fd, borrowed, std::move(protocol));
  }
}

void EventLoop::Read(Socket& socket) {
  const ssize_t size = ::read(socket.fd, buffer_.data(), buffer_.size());
  if (size > 0) {
    const Status fed = socket.protocol->Feed({buffer_.data(), static_cast<size_t>(size)});
    if (!fed.ok()) Lose(socket, fed);
  } else if (size == 0) {
    Lose(socket, OkStatus());
  } else if (errno != EAGAIN && errno != EINTR) {
    Lose(socket, Unavailable(Cat("read: ", ErrorText(errno))));
  }
}

void EventLoop::WriteAll() {
  for (const auto& socket : sockets_) {
    if (socket->protocol != nullptr && !socket->lost && !socket->protocol->out().empty()) {
      Write(*socket);
    }
  }
}

void EventLoop::Write(Socket& socket) {
  std::string& out = socket.protocol->out();
  const ssize_t size = ::send(socket.fd, out.data(), out.size(), MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) {
    return Lose(socket, Unavailable(Cat("write: ", ErrorText(errno))));
  }
  out.erase(0, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  WatchWritable(socket, !out.empty());
}

// Becoming writable only ends the wait: every turn writes anyway.
void EventLoop::WatchWritable(Socket& socket, bool writable) {
  if (std::exchange(socket.watches_writable, writable) == writable) return;
  epoll_event event{.events = EPOLLIN | (writable ? EPOLLOUT : 0U), .data = {.ptr = &socket}};
  TROTH_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket.fd, &event) == 0);
}

void EventLoop::Lose(Socket& socket, const Status& why) {
  if (std::exchange(socket.lost, true)) return;
  ::close(socket.fd);
  any_lost_ = true;
  socket.protocol->OnLost(why);
}

void EventLoop::RemoveLost() {
  if (!std::exchange(any_lost_, false)) return;
  std::erase_if(sockets_, [](const auto& socket) { return socket->lost; });
}

}  // namespace troth::bench
