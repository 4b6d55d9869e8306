#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace troth::net {

namespace {

// OpenSSL's reason for its last failure; empties its error queue.
std::string LastOpenSslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  // Errors of the system (no such file) have no reason string of OpenSSL's own.
  if (reason == nullptr) reason = strerror(ERR_GET_REASON(code));
  return reason;
}

Status FileError(std::string_view what, const std::string& file) {
  return InvalidArgument(Cat("cannot use ",
                             what,
                             " '",
                             file,
                             "': ",
                             LastOpenSslError(),
                             "; it must be a readable file in PEM format"));
}

Status LoadOwnCertificate(SSL_CTX* context, const TlsOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return InvalidArgument("a TLS certificate file and its key file must be set together");
  }
  if (options.certificate_file.empty()) return OkStatus();
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return FileError("TLS certificate", options.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return FileError("TLS key", options.key_file);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return InvalidArgument(Cat("TLS key '",
                               options.key_file,
                               "' does not belong to certificate '",
                               options.certificate_file,
                               "'"));
  }
  return OkStatus();
}

Status LoadAuthorities(SSL_CTX* context, const TlsOptions& options) {
  if (options.ca_file.empty()) return OkStatus();
  if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
    return FileError("TLS authority", options.ca_file);
  }
  return OkStatus();
}

// The wire form of a protocol list: each name after its length.
StatusOr<std::string> AlpnWire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return InvalidArgument(Cat("'", protocol, "' cannot be an ALPN protocol name"));
    }
    wire.push_back(static_cast<char>(protocol.size()));
    wire += protocol;
  }
  return wire;
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Ours in order of preference, as far as the client offers it. No common one: the handshake fails
// (RFC 7301).
int SelectAlpn(SSL* connection,
               const unsigned char** selected,
               unsigned char* selected_size,
               const unsigned char* offered,
               unsigned int offered_size,
               void* ours) {
  static_cast<void>(connection);
  const auto& wire = *static_cast<const std::string*>(ours);
  unsigned char* match = nullptr;
  const int result = SSL_select_next_proto(&match,
                                           selected_size,
                                           Bytes(wire),
                                           static_cast<unsigned>(wire.size()),
                                           offered,
                                           offered_size);
  *selected = match;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool IsIpAddress(std::string_view host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(host), error);
  return !error;
}

}  // namespace

TlsContext::TlsContext(TlsOptions options) : options_(std::move(options)) {
  context_ = std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls);
  SSL_CTX* context = context_->native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Idle connections give their 32 KiB of buffers back; a partial write may go on from another
  // buffer.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

TlsContext::~TlsContext() = default;

boost::asio::ssl::context& TlsContext::context() { return *context_; }

StatusOr<std::shared_ptr<TlsContext>> TlsContext::MakeServer(const TlsOptions& options) {
  if (options.certificate_file.empty()) {
    return InvalidArgument("a TLS server needs a certificate file and a key file");
  }
  if (options.require_client_certificate && options.ca_file.empty()) {
    return InvalidArgument("to require client certificates, name the CA file that signs them");
  }
  std::shared_ptr<TlsContext> made(new TlsContext(options));
  SSL_CTX* context = made->context_->native_handle();
  TROTH_RETURN_IF_ERROR(LoadOwnCertificate(context, options));
  TROTH_RETURN_IF_ERROR(LoadAuthorities(context, options));
  TROTH_ASSIGN_OR_RETURN(made->alpn_wire_, AlpnWire(options.alpn));
  if (!options.ca_file.empty()) {
    const int must_have = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must_have, nullptr);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.ca_file.c_str()));
    // Resumed sessions of clients with certificates need a name for their context.
    SSL_CTX_set_session_id_context(context, Bytes("troth"), 5);
  }
  if (!made->alpn_wire_.empty()) SSL_CTX_set_alpn_select_cb(context, SelectAlpn, &made->alpn_wire_);
  return made;
}

StatusOr<std::shared_ptr<TlsContext>> TlsContext::MakeClient(const TlsOptions& options) {
  std::shared_ptr<TlsContext> made(new TlsContext(options));
  SSL_CTX* context = made->context_->native_handle();
  TROTH_RETURN_IF_ERROR(LoadOwnCertificate(context, options));
  TROTH_RETURN_IF_ERROR(LoadAuthorities(context, options));
  TROTH_ASSIGN_OR_RETURN(made->alpn_wire_, AlpnWire(options.alpn));
  if (options.ca_file.empty() && SSL_CTX_set_default_verify_paths(context) != 1) {
    return FailedPrecondition(Cat("cannot load the system's CA store: ", LastOpenSslError()));
  }
  SSL_CTX_set_verify(
      context, options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const std::string& wire = made->alpn_wire_;
  if (!wire.empty())
    SSL_CTX_set_alpn_protos(context, Bytes(wire), static_cast<unsigned>(wire.size()));
  return made;
}

Status TlsContext::PrepareClient(ssl_st* connection, std::string_view host) const {
  const std::string name = options_.server_name.empty() ? std::string(host) : options_.server_name;
  const bool is_address = IsIpAddress(name);
  // SNI carries names only (RFC 6066).
  if (!is_address && SSL_set_tlsext_host_name(connection, name.c_str()) != 1) {
    return InvalidArgument(Cat("'", name, "' cannot be a TLS server name: ", LastOpenSslError()));
  }
  X509_VERIFY_PARAM* verify = SSL_get0_param(connection);
  const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str())
                             : X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size());
  if (set != 1)
    return InvalidArgument(Cat("cannot verify the name '", name, "': ", LastOpenSslError()));
  return OkStatus();
}

std::string TlsErrorText(ssl_st* connection, const boost::system::error_code& error) {
  const long verified = SSL_get_verify_result(connection);
  if (verified == X509_V_OK) return error.message();
  return Cat("the peer's certificate is not trusted: ", X509_verify_cert_error_string(verified));
}

std::string_view NegotiatedProtocol(ssl_st* connection) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection, &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

}  // namespace troth::net
