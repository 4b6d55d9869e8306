#pragma once
// A connected TCP socket, with TLS on it or not: one read and one write at a time, completions on
// the socket's loop. Handlers must keep the stream's owner alive. Include only from .cc files: the
// TLS operations are templates.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <memory>
#include <string>
#include <utility>

#include "net/tls.h"

namespace troth::net {

class SocketStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using TlsStream = boost::asio::ssl::stream<Socket&>;

  explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  bool is_tls() const { return tls_ != nullptr; }
  bool is_open() const { return socket_.is_open(); }

  // From here on everything goes through TLS. `context` outlives the stream.
  TlsStream& StartTls(TlsContext& context) {
    tls_ = std::make_unique<TlsStream>(socket_, context.context());
    return *tls_;
  }
  TlsStream& tls() { return *tls_; }

  template <typename Handler>
  void ReadSome(char* into, size_t size, Handler&& handler) {
    const boost::asio::mutable_buffer buffer(into, size);
    if (tls_ != nullptr) return tls_->async_read_some(buffer, std::forward<Handler>(handler));
    socket_.async_read_some(buffer, std::forward<Handler>(handler));
  }

  template <typename Handler>
  void WriteSome(const char* from, size_t size, Handler&& handler) {
    const boost::asio::const_buffer buffer(from, size);
    if (tls_ != nullptr) return tls_->async_write_some(buffer, std::forward<Handler>(handler));
    socket_.async_write_some(buffer, std::forward<Handler>(handler));
  }

  // Tells the peer that nothing more comes; reading goes on. A TLS peer's own goodbye is waited for
  // by `handler`.
  template <typename Handler>
  void ShutdownTls(Handler&& handler) {
    tls_->async_shutdown(std::forward<Handler>(handler));
  }
  void ShutdownSend() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  // Pending operations end with operation_aborted.
  void Close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace troth::net
