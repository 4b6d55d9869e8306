// gRPC over TLS, with and without certificates of clients.

#include <gtest/gtest.h>

#include <string>

#include "net/grpc_testing.h"

namespace troth::net {
namespace {

using std::chrono::milliseconds;

constexpr const char* kPath = "/test.Echo/Unary";

class GrpcTlsTest : public GrpcTest {
 protected:
  GrpcTlsTest() {
    server_tls_ = {.certificate_file = certificates_.certificate(),
                   .key_file = certificates_.key()};
    client_tls_ = {.ca_file = certificates_.ca()};
  }
  UnaryResult Call(const std::string& message) {
    auto server = TlsContext::MakeServer(server_tls_);
    auto client = TlsContext::MakeClient(client_tls_);
    EXPECT_TRUE(server.ok()) << server.status();
    EXPECT_TRUE(client.ok()) << client.status();
    server_options_.tls = *server;
    channel_options_.tls = *client;
    Listen();
    return CallUnary(kPath, message);
  }

  TestCertificates certificates_;
  TlsOptions server_tls_;
  TlsOptions client_tls_;
};

TEST_F(GrpcTlsTest, CarriesLargeMessages) {
  const std::string message(3 << 20, 't');
  const UnaryResult result = Call(message);
  EXPECT_TRUE(result.status.ok()) << result.status.message;
  EXPECT_EQ(result.message, message);
}

TEST_F(GrpcTlsTest, RefusesAServerNobodyVouchesFor) {
  const TestCertificates others;
  client_tls_.ca_file = others.ca();
  const UnaryResult result = Call("m");
  EXPECT_EQ(result.status.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_NE(result.status.message.find("certificate"), std::string::npos) << result.status.message;
}

TEST_F(GrpcTlsTest, RefusesAServerOfAnotherName) {
  client_tls_.server_name = "elsewhere.example";
  EXPECT_EQ(Call("m").status.code, GrpcCode::kUnavailable);
}

TEST_F(GrpcTlsTest, TakesAClientWhoseCertificateIsSigned) {
  server_tls_.ca_file = certificates_.ca();
  server_tls_.require_client_certificate = true;
  client_tls_.certificate_file = certificates_.certificate();
  client_tls_.key_file = certificates_.key();
  const UnaryResult result = Call("mutual");
  EXPECT_EQ(result.message, "mutual") << result.status.message;
}

TEST_F(GrpcTlsTest, RefusesAClientWithoutACertificate) {
  server_tls_.ca_file = certificates_.ca();
  server_tls_.require_client_certificate = true;
  EXPECT_EQ(Call("m").status.code, GrpcCode::kUnavailable);
}

TEST_F(GrpcTlsTest, NeedsHttp2ToBeAgreedOn) {
  client_tls_.alpn = {"http/1.1"};
  EXPECT_EQ(Call("m").status.code, GrpcCode::kUnavailable);
}

TEST_F(GrpcTlsTest, APlainClientIsTurnedAway) {
  channel_options_.connect_timeout = milliseconds(500);
  server_options_.tls = *TlsContext::MakeServer(server_tls_);
  Listen();
  EXPECT_EQ(CallUnary(kPath, "m").status.code, GrpcCode::kUnavailable);
}

}  // namespace
}  // namespace troth::net
