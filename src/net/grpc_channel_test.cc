// A Channel's connection: how it begins, ends and comes back.

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "base/text.h"
#include "net/grpc_testing.h"
#include "net/http2_testing.h"

namespace troth::net {
namespace {

using http2::Encode;
using http2::Number;
using http2::ReadFrameOf;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kPath = "/test.Echo/Unary";

// A port where nobody listens, for now.
uint16_t UnusedPort() { return RawServer().port(); }

class ChannelTest : public GrpcTest {
 protected:
  // Starts a call on a new channel to `raw_`, and plays the server's part of the greeting.
  std::future<UnaryResult> StartCall() {
    MakeChannel(raw_.port());
    std::future<UnaryResult> result = StartUnary(kPath, "");
    connection_ = raw_.Accept();
    return result;
  }
  UnaryResult Await(std::future<UnaryResult>& result) {
    if (result.wait_for(kTestPatience) == std::future_status::ready) return result.get();
    return {.status = {GrpcCode::kAborted, "the call did not end"}};
  }

  RawServer raw_;
  RawSocket connection_{-1};
};

TEST_F(ChannelTest, FailsCallsAtOnceWhileItBacksOffButLetsPatientOnesWait) {
  channel_options_.backoff_min = channel_options_.backoff_max = milliseconds(300);
  const uint16_t port = UnusedPort();
  MakeChannel(port);
  UnaryResult result = CallUnary(kPath, "m");
  EXPECT_EQ(result.status.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_EQ(StateOfChannel(), ChannelState::kBackoff);
  EXPECT_EQ(CallUnary(kPath, "m").status.code, GrpcCode::kUnavailable);
  std::future<UnaryResult> patient = StartUnary(kPath, "m", {.wait_for_ready = true});
  StartServer(port);
  EXPECT_EQ(Await(patient).message, "m");
  EXPECT_EQ(StateOfChannel(), ChannelState::kReady);
}

TEST_F(ChannelTest, WaitsLongerAfterEachFailedAttempt) {
  channel_options_.backoff_min = milliseconds(20);
  channel_options_.backoff_max = milliseconds(60);
  MakeChannel(UnusedPort());
  std::promise<void> done;
  int attempts = 0;
  const auto start = steady_clock::now();
  client_.Do([&] {
    channel_->OnStateChange([&](ChannelState state) {
      if (state == ChannelState::kConnecting && ++attempts == 5) done.set_value();
    });
    channel_->Connect();
  });
  EXPECT_EQ(done.get_future().wait_for(kTestPatience), std::future_status::ready);
  // 20 + 40 + 60 + 60 ms, each up to a fifth shorter.
  EXPECT_GE(steady_clock::now() - start, milliseconds(144));
  client_.Do([&] { channel_->OnStateChange(nullptr); });
}

TEST_F(ChannelTest, ConnectsAgainAfterTheServerCameBack) {
  channel_options_.backoff_min = milliseconds(1);
  channel_options_.backoff_max = milliseconds(20);
  Listen();
  const uint16_t port = grpc_server_->port();
  EXPECT_TRUE(CallUnary(kPath, "m").status.ok());
  StopServer();
  EXPECT_TRUE(Eventually([this] { return StateOfChannel() != ChannelState::kReady; }));
  StartServer(port);
  std::future<UnaryResult> patient = StartUnary(kPath, "again", {.wait_for_ready = true});
  EXPECT_EQ(Await(patient).message, "again");
}

TEST_F(ChannelTest, ALostConnectionLeavesItOpenWhetherTheCallWasHandled) {
  std::future<UnaryResult> call = StartCall();
  http2::GreetHttp2(connection_);
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 1U);
  connection_.Close();
  const UnaryResult result = Await(call);
  EXPECT_EQ(result.status.code, GrpcCode::kUnavailable);
  EXPECT_TRUE(result.maybe_sent);
}

TEST_F(ChannelTest, AServerThatNeverGreetsIsUnavailable) {
  channel_options_.connect_timeout = milliseconds(30);
  std::future<UnaryResult> call = StartCall();
  const UnaryResult result = Await(call);
  EXPECT_EQ(result.status.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(result.maybe_sent);
}

TEST_F(ChannelTest, NoticesADeadConnectionWhileCallsAreOpen) {
  channel_options_.keepalive_interval = milliseconds(30);
  channel_options_.keepalive_timeout = milliseconds(30);
  std::future<UnaryResult> call = StartCall();
  http2::GreetHttp2(connection_);
  EXPECT_EQ(ReadFrameOf(connection_, http2::kPing).payload.size(), 8U);
  const UnaryResult result = Await(call);
  EXPECT_EQ(result.status.code, GrpcCode::kUnavailable);
  EXPECT_NE(result.status.message.find("keep-alive"), std::string::npos) << result.status.message;
}

TEST_F(ChannelTest, AfterGoAwayLetsCallsEndAndTellsWhichWereNeverHandled) {
  std::future<UnaryResult> first = StartCall();
  std::future<UnaryResult> second = StartUnary(kPath, "");
  http2::GreetHttp2(connection_);
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 1U);
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 3U);
  connection_.Send(Encode({.type = http2::kGoAway, .payload = Number(1) + Number(0)}));
  const UnaryResult refused = Await(second);
  EXPECT_EQ(refused.status.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(refused.maybe_sent);
  // The next call goes to a new connection, while the first is still open on the old one.
  std::future<UnaryResult> third = StartUnary(kPath, "");
  RawSocket next = raw_.Accept();
  http2::GreetHttp2(next);
  EXPECT_EQ(ReadFrameOf(next, http2::kHeaders).stream, 1U);
  next.Send(http2::UnaryAnswer(1));
  EXPECT_TRUE(Await(third).status.ok());
  connection_.Send(http2::UnaryAnswer(1));
  EXPECT_TRUE(Await(first).status.ok());
  connection_.ReadAll();
  EXPECT_TRUE(connection_.SeesEnd());
}

TEST_F(ChannelTest, KeepsToTheStreamsTheServerAllows) {
  std::future<UnaryResult> first = StartCall();
  std::future<UnaryResult> second = StartUnary(kPath, "");
  http2::GreetHttp2(connection_, std::string("\0\3", 2) + Number(1));
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 1U);
  connection_.Send(Encode({.type = http2::kPing, .payload = "12345678"}));
  EXPECT_EQ(http2::ReadFrame(connection_).type, http2::kData);
  connection_.Send(http2::UnaryAnswer(1));
  EXPECT_TRUE(Await(first).status.ok());
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 3U);
  connection_.Send(http2::UnaryAnswer(3));
  EXPECT_TRUE(Await(second).status.ok());
}

TEST_F(ChannelTest, ClosingItLetsCallsEndWithinTheGrace) {
  std::future<UnaryResult> call = StartCall();
  http2::GreetHttp2(connection_);
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 1U);
  client_.Do([this] { channel_->Close(Seconds(60)); });
  EXPECT_EQ(CallUnary(kPath, "m").status.code, GrpcCode::kUnavailable);
  connection_.Send(http2::UnaryAnswer(1));
  EXPECT_TRUE(Await(call).status.ok());
  EXPECT_EQ(ReadFrameOf(connection_, http2::kGoAway).payload.size(), 8U);
  EXPECT_TRUE(connection_.SeesEnd());
}

TEST_F(ChannelTest, ClosingItEndsCallsWhenTheGraceIsOver) {
  std::future<UnaryResult> call = StartCall();
  http2::GreetHttp2(connection_);
  EXPECT_EQ(ReadFrameOf(connection_, http2::kHeaders).stream, 1U);
  client_.Do([this] { channel_->Close(milliseconds(20)); });
  EXPECT_EQ(Await(call).status.code, GrpcCode::kCancelled);
}

TEST_F(ChannelTest, SaysWhatIsWrongWithAnAddress) {
  client_.Do([&] { channel_ = Channel::Make(client_.loop(), "no port", channel_options_); });
  const UnaryResult result = CallUnary(kPath, "m");
  EXPECT_EQ(result.status.code, GrpcCode::kUnavailable);
  EXPECT_NE(result.status.message.find("no port"), std::string::npos) << result.status.message;
}

}  // namespace
}  // namespace troth::net
