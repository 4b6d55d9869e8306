#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstring>

#include "base/text.h"
#include "store/redis/socket.h"

namespace troth::redis {
namespace {

std::string LastOpenSslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  // Errors of the system (no such file) have no reason string of OpenSSL's own.
  return reason != nullptr ? reason : strerror(ERR_GET_REASON(code));
}

Status FileError(std::string_view what, const std::string& file) {
  return InvalidArgument(Cat("cannot use the store's TLS ",
                             what,
                             " '",
                             file,
                             "': ",
                             LastOpenSslError(),
                             "; it must be a readable file in PEM format"));
}

Status LoadFiles(SSL_CTX* context, const TlsFiles& files) {
  if (files.ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      return Internal(Cat("cannot read the system's certificate authorities: ",
                          LastOpenSslError(),
                          "; name a CA file for the store"));
    }
  } else if (SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr) != 1) {
    return FileError("CA file", files.ca);
  }
  if (files.certificate.empty() != files.key.empty()) {
    return InvalidArgument("the store's TLS certificate file and key file must be set together");
  }
  if (files.certificate.empty()) return OkStatus();
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    return FileError("certificate", files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return FileError("key", files.key);
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<TlsClient>> TlsClient::Make(const TlsFiles& files) {
  std::unique_ptr<TlsClient> made(new TlsClient);
  made->context_ = SSL_CTX_new(TLS_client_method());
  if (made->context_ == nullptr) return Internal(Cat("OpenSSL: ", LastOpenSslError()));
  SSL_CTX_set_min_proto_version(made->context_, TLS1_2_VERSION);
  SSL_CTX_set_mode(made->context_,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(made->context_, files.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  TROTH_RETURN_IF_ERROR(LoadFiles(made->context_, files));
  made->verify_ = files.verify;
  return made;
}

TlsClient::~TlsClient() { SSL_CTX_free(context_); }

}  // namespace troth::redis
