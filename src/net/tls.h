#pragma once
// Certificates and ALPN for both sides of a connection. OpenSSL stays in tls.cc.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace boost::asio::ssl {
class context;
}
namespace boost::system {
class error_code;
}
struct ssl_st;  // OpenSSL's SSL

namespace troth::net {

// Files in PEM. Empty means: not set.
struct TlsOptions {
  std::string ca_file;           // who may have signed the peer; client: empty = the system's store
  std::string certificate_file;  // ours
  std::string key_file;          // ours
  bool require_client_certificate = false;  // server: mutual TLS; needs ca_file
  bool insecure_skip_verify = false;        // client only; tests
  std::string server_name;  // client: name to verify and to send (SNI); empty = the host dialled
  std::vector<std::string> alpn = {"h2"};  // in order of preference
};

// A loaded, checked TLS context, shared by connections of one kind. Thread-safe once made.
class TlsContext {
 public:
  // Loads and checks the files. The error names the file and what is wrong with it.
  static StatusOr<std::shared_ptr<TlsContext>> MakeServer(const TlsOptions& options);
  static StatusOr<std::shared_ptr<TlsContext>> MakeClient(const TlsOptions& options);
  ~TlsContext();

  boost::asio::ssl::context& context();
  const TlsOptions& options() const { return options_; }

  // Before a client's handshake with `host` (a name or an IP address, without port): sets the name
  // to send and the name or address the certificate must have, unless options().server_name says
  // another.
  Status PrepareClient(ssl_st* connection, std::string_view host) const;

 private:
  explicit TlsContext(TlsOptions options);
  TlsOptions options_;
  std::string alpn_wire_;  // the protocol list as TLS sends it
  std::unique_ptr<boost::asio::ssl::context> context_;
};

// Why a handshake failed, for people: OpenSSL's reason, and what is wrong with the peer's
// certificate if that was it.
std::string TlsErrorText(ssl_st* connection, const boost::system::error_code& error);

// The protocol both sides agreed on, "h2" for instance; empty when none.
std::string_view NegotiatedProtocol(ssl_st* connection);

}  // namespace troth::net
