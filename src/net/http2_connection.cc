#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "net/host_port.h"
#include "net/http2_connection_internal.h"

namespace troth::net {

namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr int kReadsPerTurn = 4;           // then other connections have their turn
constexpr size_t kWriteBytes = 256 << 10;  // pulled at a time
constexpr int kWritesPerTurn = 8;
// A peer that takes no byte for so long, while we have some for it, is given up.
constexpr Duration kWriteStallMax = std::chrono::seconds(60);

// Buffers are needed during a call only, so connections share them.
std::string& SharedBuffer() {
  thread_local std::string buffer;
  buffer.clear();
  return buffer;
}
char* SharedReadBuffer() {
  thread_local std::array<char, kReadBytes> buffer;
  return buffer.data();
}

std::string PeerOf(const Http2Connection::Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "a closed connection";
  const auto address = endpoint.address();
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) {
    return FormatHostPort(address.to_string(), endpoint.port());
  }
  const auto v4 = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  return FormatHostPort(v4.to_string(), endpoint.port());
}

std::string ErrnoText() { return std::generic_category().message(errno); }

}  // namespace

Http2Connection::Http2Connection(Loop& loop, Socket socket, Http2ConnectionOptions options)
    : loop_(loop),
      options_(std::move(options)),
      socket_(std::move(socket)),
      peer_(PeerOf(socket_)),
      session_(options_.http2, *this),
      timer_(loop, [this] { OnTimer(); }),
      write_timer_(loop,
                   [this] { Close(Unavailable(Cat("the peer at ", peer_, " does not read"))); }),
      last_received_(loop.turn_time()) {
  if (options_.tls == nullptr) return;
  const auto side = options_.http2.server ? TlsEngine::Side::kServer : TlsEngine::Side::kClient;
  tls_ = std::make_unique<TlsEngine>(*options_.tls, side);
}

Http2Connection::~Http2Connection() = default;

void Http2Connection::Start() {
  timer_.ArmAfter(options_.handshake_timeout);
  if (tls_ != nullptr && !options_.http2.server) {
    const Status prepared = tls_->PrepareClient(*options_.tls, options_.tls_host);
    if (!prepared.ok()) return Close(prepared);
    FeedTls({});
  }
  OnWantsWrite();
  WaitReadable();
}

// --- reading

void Http2Connection::WaitReadable() {
  if (read_waiting_ || closed_ || ShouldPauseReading()) return;
  read_waiting_ = true;
  socket_.async_wait(Socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->read_waiting_ = false;
                       if (!error) self->OnReadable();
                     });
}

void Http2Connection::OnReadable() {
  for (int i = 0; i < kReadsPerTurn && !closed_ && !ShouldPauseReading(); ++i) {
    if (!ReadOnce()) break;
  }
  WaitReadable();
}

bool Http2Connection::ReadOnce() {
  char* buffer = SharedReadBuffer();
  const ssize_t size = recv(socket_.native_handle(), buffer, kReadBytes, MSG_DONTWAIT);
  if (size > 0) {
    last_received_ = loop_.turn_time();
    Feed({buffer, static_cast<size_t>(size)});
    return static_cast<size_t>(size) == kReadBytes;
  }
  if (size < 0 && errno == EINTR) return true;
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  const std::string reason = size == 0 ? std::string("closed by the peer") : ErrnoText();
  Close(Unavailable(Cat("connection to ", peer_, " lost: ", reason)));
  return false;
}

void Http2Connection::Feed(std::string_view bytes) {
  if (!last_words_.ok()) return;  // whatever it says now comes too late
  if (tls_ != nullptr) return FeedTls(bytes);
  FeedSession(bytes);
}

void Http2Connection::FeedTls(std::string_view bytes) {
  std::string& plain = SharedBuffer();
  const bool was_done = tls_->handshake_done();
  const Status fed = tls_->Feed(bytes, plain);
  OnWantsWrite();
  if (!fed.ok()) return CloseAfterFlush(fed);
  if (!was_done && tls_->handshake_done() && tls_->protocol() != "h2") {
    return CloseAfterFlush(
        Unavailable(Cat("TLS peer ", peer_, " does not speak HTTP/2 (ALPN h2)")));
  }
  if (!plain.empty()) FeedSession(plain);
  if (tls_->peer_closed()) Close(Unavailable(Cat("connection to ", peer_, " closed by the peer")));
}

void Http2Connection::FeedSession(std::string_view bytes) {
  in_session_ = true;
  const Status fed = session_.Feed(bytes);
  in_session_ = false;
  if (!pending_close_.ok()) return CloseNow(pending_close_);
  if (!fed.ok()) CloseAfterFlush(fed);
}

void Http2Connection::OnSettings(bool first) {
  if (!first) return;
  timer_.Cancel();
  ArmKeepAlive(options_.keepalive_interval);
  OnReady();
}

// --- writing

void Http2Connection::Flush() {
  if (closed_ || !blocked_.empty()) return;
  std::string& buffer = SharedBuffer();
  for (int i = 0; i < kWritesPerTurn; ++i) {
    if (!FillBuffer(buffer)) return;
    if (buffer.empty()) return FinishIfDone();
    if (!Write(buffer)) return;
  }
  OnWantsWrite();
}

// False when the connection was closed meanwhile.
bool Http2Connection::FillBuffer(std::string& buffer) {
  buffer.clear();
  if (tls_ != nullptr) tls_->TakeOutput(buffer);
  if (tls_ != nullptr && !tls_->handshake_done()) return true;
  in_session_ = true;
  Status encrypted;
  if (tls_ == nullptr) {
    session_.Pull(buffer, kWriteBytes);
  } else {
    std::string plain;
    session_.Pull(plain, kWriteBytes);
    encrypted = tls_->Encrypt(plain, buffer);
  }
  in_session_ = false;
  if (!encrypted.ok()) Close(encrypted);
  if (!pending_close_.ok()) CloseNow(pending_close_);
  return !closed_;
}

bool Http2Connection::Write(std::string& buffer) {
  size_t written = 0;
  while (written < buffer.size()) {
    const ssize_t size = send(socket_.native_handle(),
                              buffer.data() + written,
                              buffer.size() - written,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;
    written += static_cast<size_t>(size);
  }
  if (written == buffer.size()) return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK) {
    Close(Unavailable(Cat("connection to ", peer_, " lost: ", ErrnoText())));
    return false;
  }
  if (written > 0 || !write_timer_.armed()) write_timer_.ArmAfter(kWriteStallMax);
  blocked_ = buffer.substr(written);
  WaitWritable();
  return false;
}

void Http2Connection::WaitWritable() {
  socket_.async_wait(Socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || self->closed_) return;
                       std::string buffer = std::exchange(self->blocked_, {});
                       if (!self->Write(buffer)) return;
                       self->write_timer_.Cancel();
                       self->Flush();
                       self->WaitReadable();
                     });
}

// A peer that does not take our answers gets no more questions in.
bool Http2Connection::ShouldPauseReading() const {
  return !blocked_.empty() &&
         blocked_.size() + session_.unsent_bytes() > options_.write_buffer_bytes_max;
}

void Http2Connection::FinishIfDone() {
  if (!last_words_.ok()) return CloseNow(last_words_);
  if (session_.Finished()) Close(Unavailable(Cat("connection to ", peer_, " was shut down")));
}

// --- life and death

void Http2Connection::OnTimer() {
  if (session_.settings_received()) return CheckKeepAlive();
  Close(Unavailable(Cat("no HTTP/2 handshake from ", peer_, " in time")));
}

void Http2Connection::ArmKeepAlive(Duration delay) {
  if (options_.keepalive_interval > Duration::zero()) timer_.ArmAfter(delay);
}

void Http2Connection::CheckKeepAlive() {
  const auto silent = std::chrono::duration_cast<Duration>(loop_.turn_time() - last_received_);
  if (ping_open_ && silent >= options_.keepalive_timeout) {
    return Close(Unavailable(Cat("keep-alive: no answer from ", peer_)));
  }
  if (silent < options_.keepalive_interval) {
    ping_open_ = false;
    return ArmKeepAlive(options_.keepalive_interval - silent);
  }
  if (!options_.keepalive_without_streams && session_.streams_open() == 0) {
    return ArmKeepAlive(options_.keepalive_interval);
  }
  ping_open_ = true;
  session_.Ping();
  ArmKeepAlive(options_.keepalive_timeout);
}

void Http2Connection::CloseAfterFlush(Status why) {
  if (!last_words_.ok()) return;
  last_words_ = std::move(why);
  OnWantsWrite();
}

void Http2Connection::Close(Status why) {
  if (closed_) return;
  if (!in_session_) return CloseNow(why);
  if (pending_close_.ok()) pending_close_ = std::move(why);
}

void Http2Connection::CloseNow(const Status& why) {
  if (std::exchange(closed_, true)) return;
  const auto keep_alive = shared_from_this();
  close_reason_ = why;
  timer_.Cancel();
  write_timer_.Cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  session_.Close();
  OnClosed(close_reason_);
  loop_.Post([keep_alive] {});  // a hook that is queued must not go before this turn has ended
}

}  // namespace troth::net
