#pragma once
// One connection of the HTTP client: opened by name (through a proxy or not, with TLS or not), then
// one exchange after another. For the loop's thread; deadlines are the caller's, who closes what
// takes too long.

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/host_port.h"
#include "net/http1_answer_reader_internal.h"
#include "net/loop.h"
#include "net/socket_stream_internal.h"

namespace troth::net {

// Where requests of one kind go. Connections of equal routes are interchangeable.
struct HttpRoute {
  HostPort dial;                    // the server, or the proxy
  std::string tls_name;             // name the server's certificate must have; empty: plain text
  std::string tunnel;               // "host:port" to ask the proxy for with CONNECT; empty: none
  std::string proxy_authorization;  // for the CONNECT

  // The same for equal routes.
  std::string Key() const;
  // For messages: what is dialled.
  std::string Name() const { return FormatHostPort(dial.host, dial.port); }
};

struct HttpExchangeEnd {
  StatusOr<HttpClientResponse> answer;
  bool sent_nothing = false;      // no byte of the request left this machine
  bool received_nothing = false;  // no byte of an answer came
};

class HttpClientConnection final : public std::enable_shared_from_this<HttpClientConnection> {
 public:
  using Opened = std::function<void(Status)>;
  using Ended = std::function<void(HttpExchangeEnd)>;

  // `tls` only for routes with TLS.
  HttpClientConnection(Loop& loop,
                       HttpRoute route,
                       HttpAnswerLimits limits,
                       std::shared_ptr<TlsContext> tls);

  // Resolves, connects, tunnels, shakes hands. `opened` runs in a later turn, unless Close comes
  // first.
  void Open(Opened opened);
  // Sends a whole request. `ended` runs in a later turn, unless Close comes first.
  void Exchange(std::string request, bool is_head, Ended ended);
  // Whether another exchange may follow the last one.
  bool reusable() const { return state_ == State::kIdle; }
  // Between exchanges: `ended` runs when the server closes, or after `timeout`.
  void WaitIdle(Duration timeout, std::function<void()> ended);
  // Asks the socket itself, so that an end the loop has not seen yet is seen.
  bool LooksAlive();
  // Drops everything; what was promised to run does not any more.
  void Close();

  const HttpRoute& route() const { return route_; }

 private:
  enum class State : uint8_t { kOpening, kIdle, kBusy, kClosed };

  void Resolve();
  void Connect(const boost::asio::ip::tcp::resolver::results_type& addresses);
  void OnConnected(const boost::system::error_code& error);
  void OpenTunnel();
  void StartTls();
  void OpenEnd(Status status);

  void Begin(std::string request, bool no_body, Ended ended);
  void WriteSome();
  void OnWritten(const boost::system::error_code& error, size_t size);
  void ReadMore();
  void OnRead(const boost::system::error_code& error, size_t size);
  void FeedReader();
  void OnReadEnd(const boost::system::error_code& error);
  void End(StatusOr<HttpClientResponse> answer);

  Loop& loop_;
  const HttpRoute route_;
  const HttpAnswerLimits limits_;
  const std::shared_ptr<TlsContext> tls_;
  boost::asio::ip::tcp::resolver resolver_;
  SocketStream stream_;
  State state_ = State::kOpening;
  Opened opened_;

  std::optional<HttpAnswerReader> reader_;
  Ended ended_;
  std::string request_;
  size_t written_ = 0;
  bool writing_ = false;
  bool received_ = false;  // any byte of this answer
  std::string in_;
  size_t in_size_ = 0;
  bool reading_ = false;

  std::function<void()> idle_end_;
  Timer idle_timer_;
};

}  // namespace troth::net
