#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <system_error>
#include <utility>
#include <variant>

#include "base/log.h"
#include "base/text.h"
#include "net/host_port.h"
#include "net/listener_internal.h"

namespace troth::net {
namespace {

using boost::asio::ip::tcp;

// How long accepting pauses when the process or the system is out of descriptors or memory.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

// A descriptor that closes itself; shared because std::function copies what it holds.
class UniqueFd {
 public:
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string ErrorText(int error) { return std::generic_category().message(error); }

Status ListenError(std::string_view address, uint16_t port, int error) {
  const std::string what = Cat("cannot listen on ", address, ": ");
  switch (error) {
    case EADDRINUSE:
      return FailedPrecondition(
          Cat(what,
              "port ",
              port,
              " is in use by another program (`ss -ltnp 'sport = :",
              port,
              "'` shows which); stop that program or configure another port"));
    case EACCES:
    case EPERM:
      return MakeStatus(StatusCode::kPermissionDenied,
                        Cat(what,
                            "not permitted; ports below 1024 need CAP_NET_BIND_SERVICE, "
                            "so configure a higher one or grant it"));
    case EADDRNOTAVAIL:
      return FailedPrecondition(Cat(what,
                                    "no network interface of this machine has that address; ':",
                                    port,
                                    "' listens on all"));
    default: return FailedPrecondition(Cat(what, ErrorText(error)));
  }
}

struct AddressInfo {
  explicit AddressInfo(addrinfo* found) : list(found) {}
  AddressInfo(const AddressInfo&) = delete;
  AddressInfo& operator=(const AddressInfo&) = delete;
  ~AddressInfo() { freeaddrinfo(list); }
  addrinfo* list;
};

// A listening socket on one resolved address. Error: errno.
std::variant<int, UniqueFd> OpenSocket(const addrinfo& where, bool both_families) {
  UniqueFd fd(socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return errno;
  const int on = 1;
  const int v6_only = both_families ? 0 : 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (where.ai_family == AF_INET6) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
  }
  if (bind(fd.get(), where.ai_addr, where.ai_addrlen) != 0) return errno;
  if (listen(fd.get(), SOMAXCONN) != 0) return errno;
  return fd;
}

uint16_t LocalPort(int fd) {
  tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (getsockname(fd, local.data(), &size) != 0) return 0;
  local.resize(size);
  return local.port();
}

// For all interfaces IPv6 comes first: one such socket takes both families. A kernel without IPv6
// leaves IPv4. A name like "localhost" with both means IPv4, as programs without IPv6 expect.
int Preference(const addrinfo& where, bool all_interfaces) {
  return (where.ai_family == AF_INET6) == all_interfaces ? 0 : 1;
}

StatusOr<UniqueFd> OpenListeningSocket(std::string_view address, const HostPort& at) {
  const bool all_interfaces = at.host.empty();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(
      all_interfaces ? nullptr : at.host.c_str(), std::to_string(at.port).c_str(), &hints, &found);
  if (failed != 0) {
    return InvalidArgument(Cat("cannot listen on ", address, ": ", gai_strerror(failed)));
  }
  const AddressInfo addresses(found);
  int error = EADDRNOTAVAIL;
  for (const int preference : {0, 1}) {
    for (const addrinfo* at_address = found; at_address != nullptr;
         at_address = at_address->ai_next) {
      if (Preference(*at_address, all_interfaces) != preference) continue;
      auto opened = OpenSocket(*at_address, all_interfaces);
      if (auto* fd = std::get_if<UniqueFd>(&opened)) return std::move(*fd);
      error = std::get<int>(opened);
      // Only an absent family is a reason to try the other; a port in use must be said.
      if (error != EAFNOSUPPORT && error != EADDRNOTAVAIL)
        return ListenError(address, at.port, error);
    }
  }
  return ListenError(address, at.port, error);
}

bool OutOfResources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

size_t LoopLoads::Total() const {
  return std::accumulate(
      counts_.begin(), counts_.end(), size_t{0}, [](size_t sum, const auto& count) {
        return sum + count.load(std::memory_order_relaxed);
      });
}

size_t LoopLoads::LeastLoaded() const {
  const auto least =
      std::min_element(counts_.begin(), counts_.end(), [](const auto& a, const auto& b) {
        return a.load(std::memory_order_relaxed) < b.load(std::memory_order_relaxed);
      });
  return static_cast<size_t>(least - counts_.begin());
}

ConnectionSlot::ConnectionSlot(std::shared_ptr<LoopLoads> loads, size_t index)
    : loads_(std::move(loads)), index_(index) {
  loads_->counts_[index_].fetch_add(1, std::memory_order_relaxed);
}

ConnectionSlot::~ConnectionSlot() {
  if (loads_ != nullptr) loads_->counts_[index_].fetch_sub(1, std::memory_order_relaxed);
}

Listener::Listener(
    int fd, uint16_t port, std::vector<Loop*> loops, uint32_t connections_max, OnAccept on_accept)
    : loops_(std::move(loops)),
      connections_max_(connections_max),
      on_accept_(std::move(on_accept)),
      port_(port),
      loads_(std::make_shared<LoopLoads>(loops_.size())),
      fd_(fd) {}

Listener::~Listener() {
  if (fd_ >= 0) close(fd_);
}

StatusOr<std::shared_ptr<Listener>> Listener::Listen(std::string_view address,
                                                     std::vector<Loop*> loops,
                                                     uint32_t connections_max,
                                                     OnAccept on_accept) {
  TROTH_ASSIGN_OR_RETURN(const HostPort at, ParseHostPort(address));
  TROTH_ASSIGN_OR_RETURN(UniqueFd fd, OpenListeningSocket(address, at));
  const uint16_t port = LocalPort(fd.get());
  std::shared_ptr<Listener> listener(
      new Listener(fd.Release(), port, std::move(loops), connections_max, std::move(on_accept)));
  listener->loops_[0]->Post([listener] { listener->Start(); });
  return listener;
}

void Listener::Start() {
  if (closed_) return;
  descriptor_.emplace(loops_[0]->io(), std::exchange(fd_, -1));
  retry_ = std::make_unique<Timer>(*loops_[0], [this] { AcceptAll(); });
  WaitForConnection();
}

void Listener::WaitForConnection() {
  descriptor_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (!error && !self->closed_) self->AcceptAll();
                          });
}

void Listener::AcceptAll() {
  // As many as a burst brings, but the loop's other work gets its turn in between.
  constexpr int kAcceptsPerTurn = 64;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (!AcceptOne()) break;
  }
  if (!retry_->armed()) WaitForConnection();
}

bool Listener::AcceptOne() {
  const int fd =
      accept4(descriptor_->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    HandOver(fd);
    return true;
  }
  const int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  if (!OutOfResources(error)) return true;  // this one connection was lost before we took it
  PauseAccepting(error);
  return false;
}

void Listener::PauseAccepting(int error) {
  LogWarn("accepting connections paused",
          {{"port", port_},
           {"error", ErrorText(error)},
           {"hint", "raise the limit of open files (ulimit -n, LimitNOFILE)"}});
  retry_->ArmAfter(kAcceptPause);
}

void Listener::HandOver(int fd) {
  auto accepted = std::make_shared<UniqueFd>(fd);
  if (loads_->Total() >= connections_max_) {
    if (!std::exchange(full_, true)) {
      LogWarn("connection refused: too many are open",
              {{"port", port_}, {"max", connections_max_}});
    }
    return;
  }
  full_ = false;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  auto slot = std::make_shared<ConnectionSlot>(loads_, loads_->LeastLoaded());
  Loop* loop = loops_[slot->index()];
  loop->Post([self = shared_from_this(), loop, accepted, slot] {
    tcp::socket socket(loop->io());
    boost::system::error_code error;
    socket.assign(tcp::v6(), accepted->get(), error);
    if (error) return;
    accepted->Release();
    self->on_accept_(std::move(socket), std::move(*slot));
  });
}

void Listener::Close(std::function<void()> closed) {
  loops_[0]->Post([self = shared_from_this(), closed = std::move(closed)] {
    self->closed_ = true;
    self->retry_.reset();
    self->descriptor_.reset();
    if (self->fd_ >= 0) close(std::exchange(self->fd_, -1));
    if (closed) closed();
  });
}

}  // namespace troth::net
