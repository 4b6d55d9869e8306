#include "store/redis/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"

namespace troth::redis {
namespace {

constexpr size_t kReadBytes = 64 << 10;
// Of an answer, to be waited for without being woken before.
constexpr size_t kWakeBytesMax = 16 << 10;

int MillisUntil(Deadline deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, 3'600'000));
}

Status NotConnected(const Endpoint& to, std::string_view why) {
  return Unavailable(Cat("cannot connect to Redis at ", Name(to), ": ", why));
}

// Waits until a connection begun on `fd` stands.
Status FinishConnecting(const Endpoint& to, int fd, Deadline deadline) {
  pollfd wait = {.fd = fd, .events = POLLOUT, .revents = 0};
  if (poll(&wait, 1, MillisUntil(deadline)) <= 0) return NotConnected(to, "no answer in time");
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? OkStatus() : NotConnected(to, strerror(error));
}

StatusOr<int> ConnectTo(const Endpoint& to, const addrinfo& address, Deadline deadline) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return NotConnected(to, strerror(errno));
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Status connected;
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    connected = errno == EINPROGRESS ? FinishConnecting(to, fd, deadline)
                                     : NotConnected(to, strerror(errno));
  }
  if (connected.ok()) return fd;
  close(fd);
  return connected;
}

}  // namespace

std::string Name(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return Cat(v6 ? "[" : "", endpoint.host, v6 ? "]:" : ":", endpoint.port);
}

StatusOr<std::unique_ptr<Socket>> Socket::Connect(const Endpoint& to,
                                                  const TlsClient* tls,
                                                  Deadline deadline) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(to.host.c_str(), Cat(to.port).c_str(), &hints, &found);
  if (error != 0) return NotConnected(to, gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  Status last;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const StatusOr<int> fd = ConnectTo(to, *address, deadline);
    last = fd.status();
    if (!fd.ok()) continue;
    std::unique_ptr<Socket> socket(new Socket(to, *fd));
    if (tls != nullptr) TROTH_RETURN_IF_ERROR(socket->StartTls(*tls, deadline));
    return socket;
  }
  return last;
}

Socket::~Socket() {
  SSL_free(tls_);
  close(fd_);
}

bool Socket::Closed() const {
  char byte = 0;
  const ssize_t seen = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen == 0 || (seen < 0 && errno != EAGAIN && errno != EINTR);
}

Status Socket::Broken(std::string_view why) const {
  return Unavailable(Cat("Redis at ", Name(to_), ": ", why));
}

Status Socket::StartTls(const TlsClient& tls, Deadline deadline) {
  tls_ = SSL_new(tls.context_);
  SSL_set_fd(tls_, fd_);
  SSL_set_tlsext_host_name(tls_, to_.host.c_str());
  X509_VERIFY_PARAM* verify = SSL_get0_param(tls_);
  if (tls.verify_ && X509_VERIFY_PARAM_set1_ip_asc(verify, to_.host.c_str()) != 1) {
    SSL_set1_host(tls_, to_.host.c_str());
  }
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(tls_);
    if (result == 1) return OkStatus();
    const StatusOr<size_t> progress = TlsResult(result);
    if (!progress.ok()) {
      const long wrong = SSL_get_verify_result(tls_);
      if (wrong == X509_V_OK) return progress.status();
      return FailedPrecondition(Cat("Redis at ",
                                    Name(to_),
                                    ": its certificate is refused: ",
                                    X509_verify_cert_error_string(wrong),
                                    "; check Store.TlsCaPath and Store.Host"));
    }
    TROTH_RETURN_IF_ERROR(Await(SSL_want_write(tls_) ? POLLOUT : POLLIN, deadline));
  }
}

StatusOr<size_t> Socket::TlsResult(int result) {
  if (result > 0) return static_cast<size_t>(result);
  const int error = SSL_get_error(tls_, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return Broken(reason != nullptr ? Cat("TLS: ", reason) : "the connection was closed");
}

StatusOr<size_t> Socket::Write(std::string_view bytes) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return TlsResult(SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())));
  }
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return Broken(strerror(errno));
}

StatusOr<size_t> Socket::Read(char* buffer, size_t size) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return TlsResult(SSL_read(tls_, buffer, static_cast<int>(size)));
  }
  const ssize_t received = recv(fd_, buffer, size, 0);
  if (received > 0) return static_cast<size_t>(received);
  if (received == 0) return Broken("the connection was closed");
  if (errno == EAGAIN || errno == EINTR) return 0;
  return Broken(strerror(errno));
}

Status Socket::Await(short events, Deadline deadline) {
  pollfd wait = {.fd = fd_, .events = events, .revents = 0};
  const int ready = poll(&wait, 1, MillisUntil(deadline));
  if (ready > 0 || (ready < 0 && errno == EINTR)) return OkStatus();
  return ready == 0 ? Broken("no answer in time") : Broken(strerror(errno));
}

void Socket::WakeAt(size_t bytes) {
  const int wanted = static_cast<int>(std::clamp<size_t>(bytes, 1, kWakeBytesMax));
  if (tls_ != nullptr || wanted == wakes_at_) return;
  if (setsockopt(fd_, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted)) == 0) wakes_at_ = wanted;
}

Status Socket::Exchange(std::string_view bytes,
                        size_t least,
                        const Receive& receive,
                        Deadline deadline) {
  thread_local std::vector<char> buffer(kReadBytes);
  WakeAt(least);
  // OpenSSL may have read more than it has given us; the system says when there is something.
  bool look = tls_ != nullptr;
  while (true) {
    size_t sent = 0, received = 0;
    if (!bytes.empty()) {
      TROTH_ASSIGN_OR_RETURN(sent, Write(bytes));
      bytes.remove_prefix(sent);
    }
    if (look) {
      TROTH_ASSIGN_OR_RETURN(received, Read(buffer.data(), buffer.size()));
    }
    if (received > 0) {
      TROTH_ASSIGN_OR_RETURN(const bool enough, receive({buffer.data(), received}));
      if (enough && bytes.empty()) return OkStatus();
      WakeAt(1);
    }
    if (tls_ != nullptr ? sent + received > 0 : sent > 0 && !bytes.empty()) continue;
    const auto events = static_cast<short>(bytes.empty() ? POLLIN : POLLIN | POLLOUT);
    TROTH_RETURN_IF_ERROR(Await(events, deadline));
    look = true;
  }
}

}  // namespace troth::redis
