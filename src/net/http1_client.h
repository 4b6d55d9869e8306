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
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
  Duration timeout = Seconds(3);  // the whole exchange, redirects included
  // When set, connect here ("host:port") instead of the URL's host: an address found by discovery.
  std::string_view connect_to;
};
struct HttpClientResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};
using HttpDone = std::function<void(StatusOr<HttpClientResponse>)>;

struct HttpClientOptions {
  std::shared_ptr<TlsContext> tls;  // for https; null: made from the system's CA store on first use
  uint32_t idle_per_host_max = 64;  // pooled connections
  uint32_t connections_per_host_max = 512;  // further requests wait within their timeout
  uint32_t waiting_per_host_max = 4096;     // then ResourceExhausted
  Duration idle_timeout = Seconds(60);
  uint32_t body_bytes_max = 4 << 20;   // a longer answer is an error
  uint32_t redirects_max = 10;         // 301/302/303: POST becomes GET; 307/308 keep
  bool proxy_from_environment = true;  // HTTP_PROXY, HTTPS_PROXY, NO_PROXY
  std::string user_agent = "troth";
};

class HttpClient {
 public:
  HttpClient(Loop& loop, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;

  // `done` runs later on the loop, exactly once. Errors: DeadlineExceeded (may have been handled),
  // Unavailable (connection refused or lost; message says which), InvalidArgument (bad URL). A
  // request on a pooled connection that the server closed before any byte of an answer is repeated
  // once on a new one only if it is safe to.
  uint64_t Send(const HttpClientRequest& request, HttpDone done);
  void Cancel(uint64_t id);
  size_t requests_in_flight() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// scheme, host, port and the rest of an absolute http(s) URL.
struct HttpUrl {
  std::string scheme, host;  // host without brackets
  uint16_t port = 0;
  std::string target;  // path and query, "/" at least, no fragment
};
StatusOr<HttpUrl> ParseHttpUrl(std::string_view url);

}  // namespace troth::net
