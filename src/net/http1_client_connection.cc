#include "net/http1_client_connection_internal.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <utility>

#include "base/text.h"

namespace troth::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr size_t kReadBytes = 4 << 10;
// The longest piece the parser needs in one: a header as long as its bound, a line between chunks.
constexpr size_t kReadBytesMax = 128 << 10;

// ALPN's wire form of the one protocol spoken here: a shared TLS context may offer others.
constexpr unsigned char kHttp11Alpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

}  // namespace

std::string HttpRoute::Key() const {
  return Cat(Name(), "|", tls_name, "|", tunnel, "|", proxy_authorization);
}

HttpClientConnection::HttpClientConnection(Loop& loop,
                                           HttpRoute route,
                                           HttpAnswerLimits limits,
                                           std::shared_ptr<TlsContext> tls)
    : loop_(loop),
      route_(std::move(route)),
      limits_(limits),
      tls_(std::move(tls)),
      resolver_(loop.io()),
      stream_(tcp::socket(loop.io())),
      idle_timer_(loop, [this] {
        if (const auto ended = std::exchange(idle_end_, nullptr)) ended();
      }) {}

void HttpClientConnection::Open(Opened opened) {
  opened_ = std::move(opened);
  error_code not_an_address;
  const auto address = asio::ip::make_address(route_.dial.host, not_an_address);
  if (not_an_address) return Resolve();
  Connect(tcp::resolver::results_type::create(tcp::endpoint(address, route_.dial.port), "", ""));
}

void HttpClientConnection::Resolve() {
  resolver_.async_resolve(
      route_.dial.host,
      std::to_string(route_.dial.port),
      tcp::resolver::numeric_service,
      [self = shared_from_this()](const error_code& error,
                                  const tcp::resolver::results_type& addresses) {
        if (self->state_ == State::kClosed) return;
        if (!error) return self->Connect(addresses);
        self->OpenEnd(Unavailable(
            Cat("cannot resolve host '", self->route_.dial.host, "': ", error.message())));
      });
}

void HttpClientConnection::Connect(const tcp::resolver::results_type& addresses) {
  asio::async_connect(stream_.socket(),
                      addresses,
                      [self = shared_from_this()](const error_code& error, const tcp::endpoint&) {
                        if (self->state_ != State::kClosed) self->OnConnected(error);
                      });
}

void HttpClientConnection::OnConnected(const error_code& error) {
  if (error)
    return OpenEnd(Unavailable(Cat("cannot connect to ", route_.Name(), ": ", error.message())));
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  if (!route_.tunnel.empty()) return OpenTunnel();
  if (!route_.tls_name.empty()) return StartTls();
  OpenEnd(OkStatus());
}

void HttpClientConnection::OpenTunnel() {
  std::string request =
      Cat("CONNECT ", route_.tunnel, " HTTP/1.1\r\nHost: ", route_.tunnel, "\r\n");
  if (!route_.proxy_authorization.empty()) {
    CatTo(request, "Proxy-Authorization: ", route_.proxy_authorization, "\r\n");
  }
  request += "\r\n";
  Begin(std::move(request), /*no_body=*/true, [this](HttpExchangeEnd end) {
    const std::string what =
        Cat("proxy ", route_.Name(), " gives no tunnel to ", route_.tunnel, ": ");
    if (!end.answer.ok()) return OpenEnd(Unavailable(Cat(what, Message(end.answer.status()))));
    if (end.answer->status / 100 != 2 || state_ != State::kIdle) {
      return OpenEnd(Unavailable(Cat(what, "it answered with status ", end.answer->status)));
    }
    StartTls();
  });
}

void HttpClientConnection::StartTls() {
  state_ = State::kOpening;
  SSL* ssl = stream_.StartTls(*tls_).native_handle();
  if (Status prepared = tls_->PrepareClient(ssl, route_.tls_name); !prepared.ok())
    return OpenEnd(prepared);
  SSL_set_alpn_protos(ssl, kHttp11Alpn, sizeof(kHttp11Alpn));
  stream_.tls().async_handshake(
      asio::ssl::stream_base::client, [self = shared_from_this(), ssl](const error_code& error) {
        if (self->state_ == State::kClosed) return;
        if (!error) return self->OpenEnd(OkStatus());
        self->OpenEnd(Unavailable(Cat(
            "TLS handshake with ", self->route_.tls_name, " failed: ", TlsErrorText(ssl, error))));
      });
}

void HttpClientConnection::OpenEnd(Status status) {
  state_ = State::kIdle;
  const Opened opened = std::exchange(opened_, nullptr);
  if (!status.ok()) Close();
  opened(std::move(status));
}

void HttpClientConnection::Exchange(std::string request, bool is_head, Ended ended) {
  idle_timer_.Cancel();
  idle_end_ = nullptr;
  Begin(std::move(request), is_head, std::move(ended));
}

void HttpClientConnection::Begin(std::string request, bool no_body, Ended ended) {
  state_ = State::kBusy;
  request_ = std::move(request);
  written_ = 0;
  received_ = false;
  ended_ = std::move(ended);
  reader_.emplace(limits_, no_body);
  WriteSome();
  ReadMore();
}

void HttpClientConnection::WriteSome() {
  writing_ = true;
  stream_.WriteSome(request_.data() + written_,
                    request_.size() - written_,
                    [self = shared_from_this()](const error_code& error, size_t size) {
                      self->OnWritten(error, size);
                    });
}

void HttpClientConnection::OnWritten(const error_code& error, size_t size) {
  writing_ = false;
  if (state_ != State::kBusy) return;
  written_ += size;
  // A server may answer and close before it has read everything: whether it did is seen by reading.
  if (error && !reading_)
    return End(Unavailable(Cat("sending to ", route_.Name(), " failed: ", error.message())));
  if (!error && written_ < request_.size()) WriteSome();
}

void HttpClientConnection::ReadMore() {
  if (reading_) return;
  reading_ = true;
  if (in_.empty()) in_.resize(kReadBytes);
  if (in_size_ == in_.size()) in_.resize(in_.size() * 2);
  stream_.ReadSome(in_.data() + in_size_,
                   in_.size() - in_size_,
                   [self = shared_from_this()](const error_code& error, size_t size) {
                     self->OnRead(error, size);
                   });
}

void HttpClientConnection::OnRead(const error_code& error, size_t size) {
  reading_ = false;
  if (state_ == State::kIdle && opened_ == nullptr) {
    // The server closed, or said something nobody asked for.
    Close();
    if (const auto idle_end = std::exchange(idle_end_, nullptr)) idle_end();
    return;
  }
  if (state_ != State::kBusy) return;
  if (error) return OnReadEnd(error);
  received_ = true;
  const bool filled = in_size_ + size == in_.size();
  in_size_ += size;
  FeedReader();
  if (state_ != State::kBusy || reading_) return;
  if (filled && in_.size() < kReadBytesMax) in_.resize(in_.size() * 2);
  ReadMore();
}

void HttpClientConnection::FeedReader() {
  const size_t used = reader_->Feed(std::string_view(in_).substr(0, in_size_));
  std::copy(in_.data() + used, in_.data() + in_size_, in_.data());
  in_size_ -= used;
  if (!reader_->error().ok()) return End(reader_->error());
  if (reader_->done()) return End(reader_->Take());
  if (in_size_ >= kReadBytesMax)
    End(Internal("the answer is not valid HTTP/1.1: a line of it is too long"));
}

void HttpClientConnection::OnReadEnd(const error_code& error) {
  if (error != asio::error::eof) {
    return End(
        Unavailable(Cat("the connection to ", route_.Name(), " was lost: ", error.message())));
  }
  reader_->FeedEnd();
  if (!reader_->error().ok()) return End(reader_->error());
  End(reader_->Take());
}

void HttpClientConnection::End(StatusOr<HttpClientResponse> answer) {
  const bool at_rest = !writing_ && written_ == request_.size() && in_size_ == 0;
  const bool goes_on = at_rest && reader_->done() && (reader_->keep_alive() || opened_ != nullptr);
  HttpExchangeEnd end{std::move(answer), written_ == 0, !received_};
  const Ended ended = std::exchange(ended_, nullptr);
  const auto self = shared_from_this();
  if (goes_on) {
    state_ = State::kIdle;
    request_.clear();
    if (in_.size() > kReadBytes) in_ = std::string();
  } else if (opened_ == nullptr) {
    Close();
  }
  ended(std::move(end));
}

void HttpClientConnection::WaitIdle(Duration timeout, std::function<void()> ended) {
  idle_end_ = std::move(ended);
  idle_timer_.ArmAfter(timeout);
  ReadMore();
}

bool HttpClientConnection::LooksAlive() {
  if (state_ != State::kIdle) return false;
  char byte;
  const ssize_t seen = recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen == 0) return false;
  // TLS may have something to say between exchanges (new session tickets), plain HTTP has not.
  if (seen > 0) return stream_.is_tls();
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

void HttpClientConnection::Close() {
  state_ = State::kClosed;
  opened_ = nullptr;
  ended_ = nullptr;
  idle_timer_.Cancel();
  resolver_.cancel();
  stream_.Close();
}

}  // namespace troth::net
