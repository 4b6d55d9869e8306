// A GrpcServer's connections, seen by a client that speaks frames by hand.

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "net/grpc_testing.h"
#include "net/gzip.h"
#include "net/http2_testing.h"

namespace troth::net {
namespace {

using http2::Encode;
using http2::Frame;
using http2::Number;
using http2::NumberAt;
using http2::ReadFrameOf;
using std::chrono::milliseconds;

constexpr uint32_t kProtocolError = 1;
constexpr uint32_t kRefusedStream = 7;
constexpr uint32_t kStreamClosed = 5;
constexpr std::string_view kStreamPath = "/test.Echo/Stream";

class GrpcServerConnectionTest : public GrpcTest {
 protected:
  RawSocket Connect() {
    StartServer();
    return http2::ConnectHttp2(grpc_server_->port());
  }
  // Headers of a streaming call, which stays open.
  static std::string OpenCall(uint32_t stream) {
    const std::string request = http2::UnaryRequest(stream, kStreamPath);
    return request.substr(0, request.size() - Encode({.payload = std::string(5, '\0')}).size());
  }
  static void Acknowledge(RawSocket& socket, const Frame& ping) {
    socket.Send(Encode({http2::kPing, http2::kAck, 0, ping.payload}));
  }
};

uint32_t DataSegmentsReceived(const RawSocket& socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  EXPECT_EQ(getsockopt(socket.fd(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_data_segs_in;
}

TEST_F(GrpcServerConnectionTest, WritesTheAnswersOfOneTurnAtOnce) {
  RawSocket client = Connect();
  client.Send(Encode({.type = http2::kPing, .payload = "12345678"}));
  while (http2::ReadFrame(client).type != http2::kPing) {
  }
  const uint32_t before = DataSegmentsReceived(client);
  std::string requests;
  for (uint32_t stream = 1; stream < 40; stream += 2)
    requests += http2::UnaryRequest(stream, "/test.Echo/Unary");
  client.Send(requests);
  for (int answer = 0; answer < 20; ++answer) {
    EXPECT_EQ(ReadFrameOf(client, http2::kData).payload.size(), 5U);
  }
  EXPECT_EQ(DataSegmentsReceived(client) - before, 1U);
}

TEST_F(GrpcServerConnectionTest, ClosesAConnectionThatAnswersNoKeepAlive) {
  server_options_.keepalive_interval = milliseconds(30);
  server_options_.keepalive_timeout = Seconds(1);  // in which the acknowledgements must come
  RawSocket client = Connect();
  for (int i = 0; i < 2; ++i) Acknowledge(client, ReadFrameOf(client, http2::kPing));
  EXPECT_EQ(ReadFrameOf(client, http2::kPing).payload.size(), 8U);
  EXPECT_TRUE(client.SeesEnd());
}

TEST_F(GrpcServerConnectionTest, ClosesAConnectionThatNeverSpeaks) {
  server_options_.handshake_timeout = milliseconds(30);
  StartServer();
  RawSocket client = RawSocket::Connect(grpc_server_->port());
  client.ReadAll();
  EXPECT_TRUE(client.SeesEnd());
}

TEST_F(GrpcServerConnectionTest, AsksAnIdleConnectionToGo) {
  server_options_.idle_max = milliseconds(30);
  RawSocket client = Connect();
  EXPECT_EQ(NumberAt(ReadFrameOf(client, http2::kGoAway).payload, 0), 0x7fffffffU);
  Acknowledge(client, ReadFrameOf(client, http2::kPing));
  EXPECT_EQ(NumberAt(ReadFrameOf(client, http2::kGoAway).payload, 0), 0U);
  EXPECT_TRUE(client.SeesEnd());
}

TEST_F(GrpcServerConnectionTest, LetsTheCallsOfAnOldConnectionEnd) {
  server_options_.age_max = milliseconds(300);
  server_options_.idle_max = milliseconds(100);  // not while a call is open
  RawSocket client = Connect();
  client.Send(OpenCall(1));
  EXPECT_EQ(ReadFrameOf(client, http2::kGoAway).payload.size(), 8U);
  // A call that was on its way when the notice came still counts.
  client.Send(http2::UnaryRequest(3, "/test.Echo/Unary"));
  EXPECT_EQ(ReadFrameOf(client, http2::kData).stream, 3U);
  client.Send(Encode({http2::kPing, http2::kAck, 0, "draining"}));
  EXPECT_EQ(NumberAt(ReadFrameOf(client, http2::kGoAway).payload, 0), 3U);
  client.Send(Encode({http2::kData, http2::kEndStream, 1, {}}));
  EXPECT_EQ(ReadFrameOf(client, http2::kHeaders).stream, 1U);
  EXPECT_TRUE(client.SeesEnd());
}

TEST_F(GrpcServerConnectionTest, RefusesStreamsAboveWhatItAnnounced) {
  server_options_.limits.concurrent_streams_max = 2;
  RawSocket client = Connect();
  const std::string settings = ReadFrameOf(client, http2::kSettings).payload;
  EXPECT_NE(settings.find(std::string("\0\3\0\0\0\2", 6)), std::string::npos);
  client.Send(OpenCall(1) + OpenCall(3) + OpenCall(5));
  const Frame reset = ReadFrameOf(client, http2::kReset);
  EXPECT_EQ(reset.stream, 5U);
  EXPECT_EQ(NumberAt(reset.payload, 0), kRefusedStream);
}

TEST_F(GrpcServerConnectionTest, EndsAConnectionThatOpensMoreStreamsThanItAgreedTo) {
  server_options_.limits.concurrent_streams_max = 2;
  RawSocket client = Connect();
  EXPECT_EQ(ReadFrameOf(client, http2::kSettings).type, http2::kSettings);
  client.Send(Encode({.type = http2::kSettings, .flags = http2::kAck}));
  client.Send(OpenCall(1) + OpenCall(3) + OpenCall(5));
  EXPECT_EQ(NumberAt(ReadFrameOf(client, http2::kGoAway).payload, 4), kProtocolError);
}

TEST_F(GrpcServerConnectionTest, SaysWhyItEndsAConnection) {
  RawSocket client = Connect();
  client.Send(http2::UnaryRequest(1, "/test.Echo/Unary"));
  client.Send(Encode({http2::kData, http2::kEndStream, 1, "late"}));
  EXPECT_EQ(NumberAt(ReadFrameOf(client, http2::kGoAway).payload, 4), kStreamClosed);
  client.ReadAll();
  EXPECT_TRUE(client.SeesEnd());
}

TEST_F(GrpcServerConnectionTest, AnswersWhoDoesNotSpeakGrpcInPlainText) {
  RawSocket client = Connect();
  const auto request = [](uint32_t stream, std::string_view method, std::string_view type) {
    return Encode({http2::kHeaders,
                   http2::kEndHeaders | http2::kEndStream,
                   stream,
                   http2::HeaderBlock({{":method", method},
                                       {":scheme", "http"},
                                       {":path", "/"},
                                       {":authority", "test"},
                                       {"content-type", type}})});
  };
  client.Send(request(1, "GET", "application/grpc"));
  EXPECT_EQ(ReadFrameOf(client, http2::kData).payload,
            "this port speaks gRPC: requests are POST\n");
  client.Send(request(3, "POST", "application/json"));
  EXPECT_EQ(ReadFrameOf(client, http2::kData).payload,
            "this port speaks gRPC: the content-type must be application/grpc\n");
}

TEST_F(GrpcServerConnectionTest, InflatesGzipRequests) {
  RawSocket client = Connect();
  const std::string packed = Gzip(std::string(1000, 'z'));
  client.Send(Encode({http2::kHeaders,
                      http2::kEndHeaders,
                      1,
                      http2::HeaderBlock({{":method", "POST"},
                                          {":scheme", "http"},
                                          {":path", "/test.Echo/Unary"},
                                          {":authority", "test"},
                                          {"content-type", "application/grpc"},
                                          {"grpc-encoding", "gzip"}})}));
  client.Send(Encode({http2::kData,
                      http2::kEndStream,
                      1,
                      Cat("\1", Number(static_cast<uint32_t>(packed.size())), packed)}));
  EXPECT_EQ(ReadFrameOf(client, http2::kData).payload.substr(5), std::string(1000, 'z'));
}

TEST_F(GrpcServerConnectionTest, AFullServerClosesFurtherConnections) {
  server_options_.connections_max = 1;
  RawSocket first = Connect();
  EXPECT_EQ(ReadFrameOf(first, http2::kSettings).type, http2::kSettings);
  RawSocket second = http2::ConnectHttp2(grpc_server_->port());
  second.ReadAll();
  EXPECT_TRUE(second.SeesEnd());
}

TEST_F(GrpcServerConnectionTest, DrainsWhenCallsHaveEndedAndCutsThemAfterTheGrace) {
  RawSocket client = Connect();
  client.Send(OpenCall(1));
  client.Send(Encode({.type = http2::kPing, .payload = "12345678"}));
  while (http2::ReadFrame(client).type != http2::kPing) {
  }
  std::promise<void> drained;
  grpc_server_->Drain(milliseconds(50), [&] { drained.set_value(); });
  EXPECT_EQ(ReadFrameOf(client, http2::kGoAway).payload.size(), 8U);
  EXPECT_FALSE(RawSocket::Connect(grpc_server_->port()).is_open());
  EXPECT_EQ(drained.get_future().wait_for(kTestPatience), std::future_status::ready);
  client.ReadAll();
  EXPECT_TRUE(client.SeesEnd());
  server_.Do([] {});
  EXPECT_EQ(echo_cancels_, 1);
  EXPECT_TRUE(Eventually([this] { return grpc_server_->connections() == 0; }));
  grpc_server_.reset();
}

}  // namespace
}  // namespace troth::net
