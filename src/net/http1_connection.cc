// The life of a server connection and its reading half; answers are in http1_connection_write.cc.

#include "net/http1_connection_internal.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

#include "base/log.h"
#include "net/host_port.h"
#include "net/http1_call_internal.h"

namespace troth::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr size_t kReadBytes = 4 << 10;      // a connection's buffer at rest
constexpr size_t kReadBytesMax = 64 << 10;  // while a body comes in
// Pipelined requests wait while more than this is still to be written to their sender.
constexpr size_t kUnsentForNextRequestMax = 64 << 10;
// How long a client may take to read the last answer and close before we do.
constexpr Duration kLingerTime = Seconds(2);

std::string PeerName(const asio::ip::tcp::socket& socket) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return "unknown";
  asio::ip::address address = remote.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return FormatHostPort(address.to_string(), remote.port());
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpServerLoop> home,
                               asio::ip::tcp::socket socket,
                               ConnectionSlot slot)
    : home_(std::move(home)),
      stream_(std::move(socket)),
      slot_(std::move(slot)),
      peer_(PeerName(stream_.socket())),
      reader_({home_->options.header_bytes_max, home_->options.body_bytes_max}),
      in_(kReadBytes, '\0'),
      wait_timer_(home_->loop, [this] { OnWaitOver(); }),
      write_timer_(home_->loop, [this] { Close(); }) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::Start() {
  if (home_->options.tls != nullptr) return StartHandshake();
  UpdateWait();
  ReadMore();
}

void HttpConnection::StartHandshake() {
  state_ = State::kHandshake;
  WaitFor(Wait::kHandshake);
  stream_.StartTls(*home_->options.tls)
      .async_handshake(
          asio::ssl::stream_base::server, [self = shared_from_this()](const error_code& error) {
            if (self->state_ == State::kClosed) return;
            if (error) {
              LogDebug("TLS handshake failed", {{"peer", self->peer_}, {"error", error.message()}});
              return self->Close();
            }
            self->state_ = State::kReading;
            self->UpdateWait();
            self->ReadMore();
          });
}

bool HttpConnection::HasRoomToRead() const {
  switch (state_) {
    case State::kReading: return unsent_bytes() < kUnsentForNextRequestMax;
    case State::kAnswering:
    case State::kStreaming:
      return in_end_ - in_begin_ < in_.size();  // read ahead, to see the client leave
    case State::kLingering: return true;
    case State::kHandshake:
    case State::kFinishing:
    case State::kClosed: return false;
  }
  std::abort();
}

void HttpConnection::MakeRoomToRead() {
  const size_t kept = in_end_ - in_begin_;
  if (in_begin_ > 0) {
    std::copy_n(in_.data() + in_begin_, kept, in_.data());
    in_begin_ = 0;
    in_end_ = kept;
  }
  if (kept == in_.size()) in_.resize(in_.size() * 2);
}

void HttpConnection::ReadMore() {
  if (reading_ || peer_ended_ || !HasRoomToRead()) return;
  MakeRoomToRead();
  reading_ = true;
  stream_.ReadSome(in_.data() + in_end_,
                   in_.size() - in_end_,
                   [self = shared_from_this()](const error_code& error, size_t size) {
                     self->OnRead(error, size);
                   });
}

void HttpConnection::OnRead(const error_code& error, size_t size) {
  reading_ = false;
  if (state_ == State::kClosed) return;
  if (error) return OnReadEnd(error);
  if (state_ == State::kLingering) return ReadMore();  // whatever it is, nobody wants it any more
  in_end_ += size;
  const bool filled = in_end_ == in_.size();
  TakeRequests();
  if (state_ == State::kClosed || reading_) return;
  if (filled && in_.size() < kReadBytesMax) in_.resize(in_.size() * 2);
  ReadMore();
}

void HttpConnection::OnReadEnd(const error_code& error) {
  peer_ended_ = true;
  const bool orderly = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  switch (state_) {
    case State::kAnswering:
      // Perhaps only its sending half: an answer that still comes is sent.
      return orderly ? TellGone() : Close();
    case State::kReading: return TakeRequests();
    case State::kFinishing: return;
    case State::kHandshake:
    case State::kStreaming:
    case State::kLingering:
    case State::kClosed: return Close();
  }
}

void HttpConnection::TakeRequests() {
  if (std::exchange(taking_requests_, true))
    return;  // a handler answered at once: the loop below goes on
  while (state_ == State::kReading && in_begin_ < in_end_ &&
         unsent_bytes() < kUnsentForNextRequestMax) {
    const size_t used = reader_.Feed(std::string_view(in_).substr(in_begin_, in_end_ - in_begin_));
    in_begin_ += used;
    if (reader_.phase() == HttpRequestReader::Phase::kRefused) {
      Refuse(reader_.refusal());
    } else if (reader_.phase() == HttpRequestReader::Phase::kDone) {
      Dispatch();
    } else if (used == 0) {
      break;
    }
  }
  taking_requests_ = false;
  if (state_ == State::kReading) AwaitRequest();
  UpdateWait();
}

// What is left in the buffer is not a whole request.
void HttpConnection::AwaitRequest() {
  const size_t line_bytes_max = std::max<size_t>(kReadBytesMax, home_->options.header_bytes_max);
  if (unsent_bytes() >= kUnsentForNextRequestMax) return;  // AllWritten comes back here
  if (peer_ended_) return unsent_bytes() > 0 ? Finish() : Close();
  if (in_end_ - in_begin_ >= line_bytes_max) {
    return Refuse({400, "a line between the chunks of the request's body is too long"});
  }
  if (reader_.phase() == HttpRequestReader::Phase::kBody && reader_.expects_continue() &&
      !sent_continue_) {
    sent_continue_ = true;
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    FlushSoon();
  }
  const bool at_rest = in_begin_ == in_end_ && reader_.phase() == HttpRequestReader::Phase::kEmpty;
  if (at_rest && !reading_ && in_.size() > kReadBytesMax / 4) {
    in_ = std::string(kReadBytes, '\0');
    in_begin_ = in_end_ = 0;
  }
  ReadMore();
}

void HttpConnection::Dispatch() {
  ++requests_;
  state_ = State::kAnswering;
  waiting_for_ = Wait::kNone;
  sent_continue_ = false;
  keep_alive_ = reader_.keep_alive();
  http_1_0_ = reader_.http_1_0();
  HttpRequest request = reader_.Take();
  request.peer = peer_;
  head_request_ = request.method == "HEAD";
  auto call = std::make_shared<HttpServerCall>(shared_from_this(), requests_, std::move(request));
  call_ = call;
  home_->handler(std::move(call));
  if (state_ == State::kReading) return;  // answered at once
  if (peer_ended_) TellGone();
  ReadMore();
}

void HttpConnection::Drain() {
  const bool idle = reader_.phase() == HttpRequestReader::Phase::kEmpty && in_begin_ == in_end_;
  if (state_ == State::kHandshake) return Close();
  if (state_ != State::kReading || !idle) return;
  if (unsent_bytes() == 0) return Close();
  Finish();
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  wait_timer_.Cancel();
  write_timer_.Cancel();
  stream_.Close();
  TellGone();
  home_->connections.erase(self);
  if (!home_->connections.empty()) return;
  if (const auto tell = std::exchange(home_->on_last_gone, nullptr)) tell();
}

void HttpConnection::TellGone() {
  if (const auto call = call_.lock()) call->TellGone();
}

void HttpConnection::WaitFor(Wait what) {
  if (what == waiting_for_) return;  // the deadline counts from the first time
  waiting_for_ = what;
  const HttpServerOptions& options = home_->options;
  switch (what) {
    case Wait::kNone: return wait_timer_.Cancel();
    case Wait::kHandshake:
    case Wait::kFirstByte:
    case Wait::kHeader: return wait_timer_.ArmAfter(options.header_timeout);
    case Wait::kNextRequest: return wait_timer_.ArmAfter(options.keepalive_timeout);
    case Wait::kBody: return wait_timer_.ArmAfter(options.body_timeout);
    case Wait::kLinger: return wait_timer_.ArmAfter(kLingerTime);
  }
}

void HttpConnection::UpdateWait() {
  if (state_ == State::kLingering || state_ == State::kClosed) return;
  if (state_ != State::kReading) return WaitFor(Wait::kNone);
  switch (reader_.phase()) {
    case HttpRequestReader::Phase::kEmpty:
      return WaitFor(requests_ == 0 ? Wait::kFirstByte : Wait::kNextRequest);
    case HttpRequestReader::Phase::kHeader: return WaitFor(Wait::kHeader);
    case HttpRequestReader::Phase::kBody: return WaitFor(Wait::kBody);
    case HttpRequestReader::Phase::kDone:
    case HttpRequestReader::Phase::kRefused: return WaitFor(Wait::kNone);
  }
}

void HttpConnection::OnWaitOver() {
  switch (waiting_for_) {
    case Wait::kHeader: return Refuse({408, "the request's headers took too long to arrive"});
    case Wait::kBody: return Refuse({408, "the request's body took too long to arrive"});
    case Wait::kNone:
    case Wait::kHandshake:
    case Wait::kFirstByte:
    case Wait::kNextRequest:
    case Wait::kLinger: return Close();
  }
}

}  // namespace troth::net
