#pragma once
// Pooled HTTP/1.1 client on Boost.Beast, one per loop. For the loop's thread only.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http1_server.h"
#include "net/loop.h"
#include "net/tls.h"

namespace troth::net {

// Views live during Send only.
struct HttpClientRequest {
  std::string_view method = "GET";
  std::string_view url;  // http://host[:port]/path?query or https://
  // Content-Length and the like are the client's own and left out. A header with a line break is
  // refused.
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
  Duration timeout = Seconds(3);  // the whole exchange, redirects included
  // When set, connect here ("host:port") instead of the URL's host: an address found by discovery.
  std::string_view connect_to;
};
struct HttpClientResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  // inflated when it came as gzip; Content-Encoding and Content-Length are gone
                     // from headers then
};
using HttpDone = std::function<void(StatusOr<HttpClientResponse>)>;

struct HttpClientOptions {
  // For https; null: made from the system's CA store on first use. Whatever its alpn says,
  // "http/1.1" is offered.
  std::shared_ptr<TlsContext> tls;
  uint32_t idle_per_host_max = 64;          // pooled connections
  uint32_t connections_per_host_max = 512;  // further requests wait within their timeout
  uint32_t waiting_per_host_max = 4096;     // then ResourceExhausted
  Duration idle_timeout = Seconds(60);
  uint32_t header_bytes_max = 64 << 10;  // of an answer; more is an error
  uint32_t body_bytes_max = 4 << 20;     // of an answer, also after inflation; more is an error
  uint32_t redirects_max = 10;           // 301/302/303: POST becomes GET; 307/308 keep
  bool proxy_from_environment = true;    // HTTP_PROXY, HTTPS_PROXY, NO_PROXY
  std::string user_agent = "troth";
};

class HttpClient {
 public:
  HttpClient(Loop& loop, HttpClientOptions options);
  // Requests in flight end with Cancelled, later on the loop.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;

  // `done` runs later on the loop, exactly once. Errors: DeadlineExceeded (may have been handled),
  // Unavailable (connection refused or lost; message says which), InvalidArgument (bad URL or
  // header), ResourceExhausted (too many requests wait for this host, or the answer is too long),
  // Internal (the answer is not HTTP), DataLoss (its gzip is damaged). A request on a pooled
  // connection that the server closed before any byte of an answer is repeated once on a new one
  // only if it is safe to: its method is idempotent, or nothing of it was sent.
  // Returns an id for Cancel.
  uint64_t Send(const HttpClientRequest& request, HttpDone done);
  // Ends it with Cancelled; `done` still comes, later. No-op when it has ended.
  void Cancel(uint64_t id);
  size_t requests_in_flight() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// scheme, host, port and the rest of an absolute http(s) URL.
struct HttpUrl {
  std::string scheme;  // "http" or "https"
  std::string host;    // without brackets
  uint16_t port = 0;
  std::string target;    // path and query, "/" at least, no fragment; characters no URL has are
                         // percent-encoded
  std::string userinfo;  // "user:password", decoded; empty when there is none
};
// Error: another scheme, no host, a bad port, a control character.
StatusOr<HttpUrl> ParseHttpUrl(std::string_view url);

}  // namespace troth::net
