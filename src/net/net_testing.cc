#include "net/net_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/check.h"

namespace troth::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress MakeAddress(const char* host, uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(*v4);
  } else {
    TROTH_CHECK(inet_pton(AF_INET6, host, &v6->sin6_addr) == 1);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(*v6);
  }
  return address;
}

bool WaitReadable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, static_cast<int>(milliseconds(kTestPatience).count())) == 1;
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key MakeKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

void AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  TROTH_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate MakeCertificate(const char* name, EVP_PKEY* key, int64_t serial) {
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 24 * 3600);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()),
                             "CN",
                             MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name),
                             -1,
                             -1,
                             0);
  return made;
}

void WriteCertificate(const std::string& path, X509* certificate) {
  FILE* file = fopen(path.c_str(), "w");
  TROTH_CHECK(file != nullptr);
  TROTH_CHECK(PEM_write_X509(file, certificate) == 1);
  fclose(file);
}

void WriteKey(const std::string& path, EVP_PKEY* key) {
  FILE* file = fopen(path.c_str(), "w");
  TROTH_CHECK(file != nullptr);
  TROTH_CHECK(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  fclose(file);
}

}  // namespace

bool Eventually(const std::function<bool()>& condition) {
  const auto end = steady_clock::now() + kTestPatience;
  while (!condition()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

RawSocket::RawSocket(RawSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

RawSocket& RawSocket::operator=(RawSocket&& other) noexcept {
  Close();
  fd_ = std::exchange(other.fd_, -1);
  buffer_ = std::move(other.buffer_);
  return *this;
}

RawSocket::~RawSocket() { Close(); }

RawSocket RawSocket::Connect(uint16_t port, const char* host) {
  const SocketAddress address = MakeAddress(host, port);
  RawSocket made(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.ConnectTo(port, host)) made.Close();
  return made;
}

bool RawSocket::ConnectTo(uint16_t port, const char* host) const {
  SocketAddress address = MakeAddress(host, port);
  return connect(fd_, address.get(), address.size) == 0;
}

bool RawSocket::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawSocket::ReadSome() {
  char bytes[64 << 10];
  if (!WaitReadable(fd_)) return false;
  const ssize_t received = recv(fd_, bytes, sizeof(bytes), 0);
  if (received <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(received));
  return true;
}

std::string RawSocket::ReadUntil(std::string_view end) {
  size_t at;
  while ((at = buffer_.find(end)) == std::string::npos) {
    if (!ReadSome()) return std::exchange(buffer_, {});
  }
  return ReadBytes(at + end.size());
}

std::string RawSocket::ReadBytes(size_t size) {
  while (buffer_.size() < size) {
    if (!ReadSome()) return std::exchange(buffer_, {});
  }
  std::string read = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return read;
}

std::string RawSocket::ReadAll() {
  while (ReadSome()) {
  }
  return std::exchange(buffer_, {});
}

bool RawSocket::SeesEnd() {
  char byte;
  return buffer_.empty() && WaitReadable(fd_) && recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

void RawSocket::CloseSend() const { shutdown(fd_, SHUT_WR); }

void RawSocket::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  Close();
}

void RawSocket::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

RawServer::RawServer(const char* host) {
  SocketAddress address = MakeAddress(host, 0);
  fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  TROTH_CHECK(bind(fd_, address.get(), address.size) == 0);
  TROTH_CHECK(listen(fd_, SOMAXCONN) == 0);
  TROTH_CHECK(getsockname(fd_, address.get(), &address.size) == 0);
  // The port lies at the same place in both families.
  port_ = ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
}

RawServer::~RawServer() { close(fd_); }

RawSocket RawServer::Accept() const {
  if (!WaitReadable(fd_)) return RawSocket(-1);
  return RawSocket(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
}

TestCertificates::TestCertificates() {
  directory_ = (std::filesystem::temp_directory_path() / "troth-test-XXXXXX").string();
  TROTH_CHECK(mkdtemp(directory_.data()) != nullptr);
  const Key ca_key = MakeKey();
  const Certificate ca_certificate = MakeCertificate("troth test authority", ca_key.get(), 1);
  X509_set_issuer_name(ca_certificate.get(), X509_get_subject_name(ca_certificate.get()));
  AddExtension(ca_certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(ca_certificate.get(), ca_key.get(), EVP_sha256());
  WriteCertificate(ca(), ca_certificate.get());

  const Key server_key = MakeKey();
  const Certificate server_certificate = MakeCertificate("localhost", server_key.get(), 2);
  X509_set_issuer_name(server_certificate.get(), X509_get_subject_name(ca_certificate.get()));
  AddExtension(server_certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  X509_sign(server_certificate.get(), ca_key.get(), EVP_sha256());
  WriteCertificate(certificate(), server_certificate.get());
  WriteKey(key(), server_key.get());
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace troth::net
