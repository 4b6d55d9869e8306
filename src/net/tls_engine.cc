#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>

#include "base/check.h"
#include "base/text.h"
#include "net/tls_engine_internal.h"

namespace troth::net {

namespace {

constexpr size_t kRecordBytesMax = 16 << 10;

}  // namespace

TlsEngine::TlsEngine(TlsContext& context, Side side)
    : ssl_(SSL_new(context.context().native_handle())),
      from_peer_(BIO_new(BIO_s_mem())),
      to_peer_(BIO_new(BIO_s_mem())) {
  TROTH_CHECK(ssl_ != nullptr && from_peer_ != nullptr && to_peer_ != nullptr);
  BIO_set_mem_eof_return(from_peer_, -1);  // empty means: later
  SSL_set_bio(ssl_, from_peer_, to_peer_);
  if (side == Side::kServer) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

TlsEngine::~TlsEngine() { SSL_free(ssl_); }

Status TlsEngine::PrepareClient(const TlsContext& context, std::string_view host) {
  return context.PrepareClient(ssl_, host);
}

Status TlsEngine::Feed(std::string_view cipher, std::string& plain) {
  if (!cipher.empty()) BIO_write(from_peer_, cipher.data(), static_cast<int>(cipher.size()));
  if (!handshake_done_) TROTH_RETURN_IF_ERROR(Handshake());
  if (!handshake_done_) return OkStatus();
  while (true) {
    char record[kRecordBytesMax];
    const int size = SSL_read(ssl_, record, sizeof(record));
    if (size > 0) {
      plain.append(record, static_cast<size_t>(size));
      continue;
    }
    const int error = SSL_get_error(ssl_, size);
    if (error == SSL_ERROR_WANT_READ) return OkStatus();
    if (error != SSL_ERROR_ZERO_RETURN) return Failure("TLS failed");
    peer_closed_ = true;
    return OkStatus();
  }
}

Status TlsEngine::Handshake() {
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    handshake_done_ = true;
    return OkStatus();
  }
  if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return OkStatus();
  return Failure("TLS handshake failed");
}

Status TlsEngine::Failure(std::string_view what) {
  const boost::system::error_code error(static_cast<int>(ERR_get_error()),
                                        boost::asio::error::get_ssl_category());
  ERR_clear_error();
  return Unavailable(Cat(what, ": ", TlsErrorText(ssl_, error)));
}

Status TlsEngine::Encrypt(std::string_view plain, std::string& cipher) {
  if (!plain.empty() && SSL_write(ssl_, plain.data(), static_cast<int>(plain.size())) <= 0) {
    return Failure("TLS failed");
  }
  TakeOutput(cipher);
  return OkStatus();
}

void TlsEngine::TakeOutput(std::string& cipher) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(to_peer_, &bytes);
  if (size <= 0) return;
  cipher.append(bytes, static_cast<size_t>(size));
  static_cast<void>(BIO_reset(to_peer_));
}

std::string_view TlsEngine::protocol() const { return NegotiatedProtocol(ssl_); }

}  // namespace troth::net
