#pragma once
// HTTP/1.1 server on Boost.Beast: keep-alive, bounded headers and bodies, time limits, streamed
// answers (server-sent events). Handlers run on the loop of their connection; HttpCall is used on
// that loop only.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "net/call_watcher.h"
#include "net/loop.h"
#include "net/tls.h"

namespace troth::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
// First value of `name`, compared without case, or nothing.
std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name);

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // as sent: "/api/x?gid=1"
  std::string path;    // percent-encoded part before '?'
  std::string query;   // after '?', without it
  HttpHeaders headers;
  std::string body;
  std::string peer;

  // Value of a query parameter, decoded; nothing when absent. First of several.
  std::optional<std::string> Param(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  HttpHeaders headers =
      {};  // not those of framing (Connection, Content-Length...): the server writes them
  std::string body = {};
};

// One exchange. Answer exactly once, now or later; a call let go of without an answer becomes a
// 500. After the client went away everything is a no-op. (A client that only closed its sending
// half counts as gone, as in other servers, but still gets an answer that is given.)
class HttpCall {
 public:
  virtual ~HttpCall() = default;
  virtual const HttpRequest& request() const = 0;
  virtual Loop& loop() = 0;
  virtual bool cancelled() const = 0;
  // `watcher` is told when the answer is given (for a streamed one: when it begins). It outlives
  // the call.
  virtual void Watch(CallWatcher& /*watcher*/, uint32_t /*tag*/) {}
  virtual void Respond(HttpResponse response) = 0;
  // A streamed answer instead: headers (and head.body, if any) now, then chunks, then the end. Let
  // the client keep up: write on when unsent_bytes() is small again. Past stream_unsent_bytes_max
  // the connection is cut.
  virtual void StartStream(HttpResponse head) = 0;
  virtual void WriteChunk(std::string_view bytes) = 0;
  virtual void EndStream() = 0;
  // Bytes of the streamed answer that the socket has not taken yet.
  virtual size_t unsent_bytes() const = 0;
  // Called each time everything written so far has left.
  virtual void OnWritable(std::function<void()> listener) = 0;
  // Called once, when the client closed before the end.
  virtual void OnGone(std::function<void()> listener) = 0;
};

struct HttpServerOptions {
  std::shared_ptr<TlsContext> tls;  // null: plain text. Its alpn is {"http/1.1"} or empty
  uint32_t header_bytes_max = limits::kHttpHeaderBytesMax;  // past it: 431
  uint32_t body_bytes_max = limits::kHttpBodyBytesMax;      // past it: 413
  Duration header_timeout =
      Seconds(30);  // first byte to end of headers, then 408; also for TLS and the first byte
  Duration body_timeout = Seconds(60);       // end of headers to end of body, then 408
  Duration keepalive_timeout = Seconds(75);  // between requests, then closed
  Duration write_timeout = Seconds(60);      // without the client taking a single byte, then closed
  uint32_t stream_unsent_bytes_max =
      4 << 20;  // a client that falls further behind a streamed answer is cut
  uint32_t connections_max = limits::kConnectionsMax;  // further ones are closed at once
};

class HttpServer {
 public:
  using Handler = std::function<void(std::shared_ptr<HttpCall>)>;
  // `loops` outlive the server. Connections go to the loop with the fewest; `handler` runs on all
  // of them at once.
  HttpServer(std::vector<Loop*> loops, HttpServerOptions options, Handler handler);
  // Without a Drain before: cuts what is open, soon.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;

  Status Listen(std::string_view address);  // as GrpcServer::Listen
  uint16_t port() const;
  // Stops accepting, answers what is open with "Connection: close", then done() on loops[0]. After
  // `grace` the rest is cut (streamed answers among it, unless their handlers end them before).
  void Drain(Duration grace, std::function<void()> done);

  size_t connections() const;  // thread-safe, approximate

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troth::net
