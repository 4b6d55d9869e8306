#pragma once
// A connected TCP socket to a Redis server, with TLS when asked for. Every call has a deadline and
// blocks until then at the most. One thread at a time.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace troth::redis {

using Deadline = std::chrono::steady_clock::time_point;

struct Endpoint {
  std::string host;
  uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};
// "host:port", with brackets around an IPv6 address.
std::string Name(const Endpoint& endpoint);

// Files in PEM; empty means not set.
struct TlsFiles {
  std::string ca;           // who may have signed the server's certificate; empty: the system's
  std::string certificate;  // ours, for servers that ask for one
  std::string key;
  bool verify = true;  // the certificate must be signed, and for the host we connect to
};

// What connections with TLS share. Thread-safe once made.
class TlsClient {
 public:
  // The error names the file and what is wrong with it.
  static StatusOr<std::unique_ptr<TlsClient>> Make(const TlsFiles& files);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

 private:
  friend class Socket;
  TlsClient() = default;
  ssl_ctx_st* context_ = nullptr;
  bool verify_ = true;
};

class Socket {
 public:
  // `tls` outlives the socket; null: plain TCP. Names are resolved by the system, which may take
  // longer than the deadline.
  static StatusOr<std::unique_ptr<Socket>> Connect(const Endpoint& to,
                                                   const TlsClient* tls,
                                                   Deadline deadline);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Takes what has come; true when nothing more is expected. The text is valid during the call.
  using Receive = std::function<StatusOr<bool>(std::string_view bytes)>;

  // Sends `bytes` and reads at the same time, so that neither side waits for the other's buffers,
  // until all is sent and `receive` is content. `least` bytes come for certain: the thread is not
  // woken for fewer. After an error the socket is of no more use.
  Status Exchange(std::string_view bytes, size_t least, const Receive& receive, Deadline deadline);

  // Whether the other side has closed it while nothing was asked. Does not block.
  bool Closed() const;

 private:
  Socket(Endpoint to, int fd) : to_(std::move(to)), fd_(fd) {}

  Status StartTls(const TlsClient& tls, Deadline deadline);
  // Bytes moved; 0: not now.
  StatusOr<size_t> Write(std::string_view bytes);
  StatusOr<size_t> Read(char* buffer, size_t size);
  StatusOr<size_t> TlsResult(int result);
  // Await(POLLIN) returns when so many bytes are there, or the other side has closed.
  void WakeAt(size_t bytes);
  Status Await(short events, Deadline deadline);
  Status Broken(std::string_view why) const;

  const Endpoint to_;
  const int fd_;
  int wakes_at_ = 1;  // SO_RCVLOWAT
  ssl_st* tls_ = nullptr;
};

}  // namespace troth::redis
