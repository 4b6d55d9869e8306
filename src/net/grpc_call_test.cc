// Calls between a GrpcServer and a Channel over loopback sockets.

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "net/grpc_testing.h"

namespace troth::net {
namespace {

using std::chrono::milliseconds;

TEST_F(GrpcTest, AnswersAUnaryCall) {
  Listen();
  const UnaryResult result = CallUnary("/test.Echo/Unary", "hello");
  EXPECT_EQ(result.status.code, GrpcCode::kOk) << result.status.message;
  EXPECT_EQ(result.message, "hello");
  EXPECT_TRUE(result.maybe_sent);
}

TEST_F(GrpcTest, KeepsMessagesOfAnySizeWhole) {
  Listen();
  for (const size_t size : {0U, 1U, 4091U, 65536U, 1000003U, 4194304U}) {
    std::string message(size, 'x');
    for (size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i * 131 + i / 7);
    const UnaryResult result = CallUnary("/test.Echo/Unary", message);
    EXPECT_TRUE(result.status.ok()) << result.status.message;
    EXPECT_EQ(result.message, message) << size;
  }
}

TEST_F(GrpcTest, SendsLargeMessagesThroughSmallWindows) {
  server_options_.limits.stream_window_bytes = 65535;
  channel_options_.limits.stream_window_bytes = 65535;
  server_options_.limits.connection_window_bytes = 65535;
  channel_options_.limits.connection_window_bytes = 65535;
  Listen();
  const std::string message(3 << 20, 'w');
  std::vector<std::future<UnaryResult>> results;
  for (int i = 0; i < 4; ++i) results.push_back(StartUnary("/test.Echo/Unary", message));
  for (auto& result : results) EXPECT_EQ(result.get().message, message);
}

TEST_F(GrpcTest, CarriesStatusTrailersAndMetadata) {
  server_method_ = [](const std::shared_ptr<ServerCall>& call, const std::string&) {
    call->AddInitialMetadata("x-initial", "first");
    call->AddTrailer("x-trailer", std::string(Find(call->metadata(), "x-request").value_or("")));
    call->AddTrailer("x-raw-bin",
                     std::string(Find(call->metadata(), "x-request-bin").value_or("")));
    call->Write("ignored");
    call->Finish({GrpcCode::kFailedPrecondition, "50% of é\n"});
  };
  Listen();
  const std::string raw("\0\xff\x01,", 4);
  const std::vector<MetadataView> metadata = {{"x-request", "value", true}, {"x-request-bin", raw}};
  const UnaryResult result = CallUnary("/test.Echo/Method", "m", {.metadata = metadata});
  EXPECT_EQ(result.status.code, GrpcCode::kFailedPrecondition);
  EXPECT_EQ(result.status.message, "50% of é\n");
  EXPECT_EQ(Find(result.initial_metadata, "x-initial"), "first");
  EXPECT_EQ(Find(result.trailers, "x-trailer"), "value");
  EXPECT_EQ(Find(result.trailers, "x-raw-bin"), raw);
}

TEST_F(GrpcTest, AnErrorWithoutAMessageIsTrailersOnly) {
  server_method_ = [](const std::shared_ptr<ServerCall>& call, const std::string&) {
    call->Finish({GrpcCode::kAborted, "FAILURE"});
  };
  Listen();
  const UnaryResult result = CallUnary("/test.Echo/Method", "m");
  EXPECT_EQ(result.status.code, GrpcCode::kAborted);
  EXPECT_EQ(result.status.message, "FAILURE");
}

TEST_F(GrpcTest, SaysWhatItDoesNotKnow) {
  Listen();
  UnaryResult result = CallUnary("/test.Echo/Nothing", "m");
  EXPECT_EQ(result.status.code, GrpcCode::kUnimplemented);
  EXPECT_EQ(result.status.message, "unknown method Nothing for service test.Echo");
  result = CallUnary("/test.Nothing/Method", "m");
  EXPECT_EQ(result.status.code, GrpcCode::kUnimplemented);
  EXPECT_EQ(result.status.message, "unknown service test.Nothing");
}

TEST_F(GrpcTest, TellsTheServerTheDeadlineAndKeepsItItself) {
  auto seen = std::make_shared<std::promise<std::pair<bool, std::shared_ptr<ServerCall>>>>();
  server_method_ = [seen](const std::shared_ptr<ServerCall>& call, const std::string&) {
    seen->set_value({call->deadline().has_value(), call});
  };
  Listen();
  // The time below is for the call alone.
  ASSERT_TRUE(CallUnary("/test.Echo/Unary", "connect").status.ok());
  const UnaryResult result = CallUnary("/test.Echo/Method", "m", {.timeout = Seconds(1)});
  EXPECT_EQ(result.status.code, GrpcCode::kDeadlineExceeded);
  EXPECT_TRUE(result.maybe_sent);
  auto arrived = seen->get_future();
  ASSERT_EQ(arrived.wait_for(kTestPatience), std::future_status::ready);
  auto [has_deadline, call] = arrived.get();
  EXPECT_TRUE(has_deadline);
  EXPECT_TRUE(Eventually([&] { return OnServer([&] { return call->cancelled(); }); }));
  server_.Do([&] { call.reset(); });
}

TEST_F(GrpcTest, CancellingACallTellsTheServer) {
  auto seen = std::make_shared<std::promise<std::shared_ptr<ServerCall>>>();
  server_method_ = [seen](const std::shared_ptr<ServerCall>& call, const std::string&) {
    seen->set_value(call);
  };
  Listen();
  uint64_t id = 0;
  std::future<UnaryResult> result = StartUnary("/test.Echo/Method", "m", {}, &id);
  std::shared_ptr<ServerCall> call = seen->get_future().get();
  client_.Do([&] { channel_->CancelCall(id); });
  EXPECT_EQ(result.get().status.code, GrpcCode::kCancelled);
  EXPECT_TRUE(Eventually([&] { return OnServer([&] { return call->cancelled(); }); }));
  server_.Do([&] {
    call->FinishOk("too late");  // nothing happens
    call.reset();
  });
}

TEST_F(GrpcTest, StreamsBothWays) {
  Listen();
  const auto log = OpenStream("/test.Echo/Stream");
  client_.Do([&] {
    log->stream->Write("a");
    log->stream->Write("b");
  });
  EXPECT_TRUE(Eventually([&] { return log->Messages().size() == 2; }));
  client_.Do([&] {
    log->stream->Write(std::string(200000, 'c'));
    log->stream->CloseSend();
  });
  const GrpcStatus status = log->WaitForEnd();
  EXPECT_TRUE(status.ok()) << status.message;
  EXPECT_EQ(log->Messages().size(), 3U);
  EXPECT_EQ(log->Messages()[2].size(), 200000U);
}

TEST_F(GrpcTest, CancellingAStreamEndsBothSides) {
  Listen();
  const auto log = OpenStream("/test.Echo/Stream");
  client_.Do([&] { log->stream->Write("a"); });
  EXPECT_TRUE(Eventually([&] { return log->Messages().size() == 1; }));
  client_.Do([&] { log->stream->Cancel(); });
  EXPECT_EQ(log->WaitForEnd().code, GrpcCode::kCancelled);
  EXPECT_TRUE(Eventually([&] { return echo_cancels_ == 1; }));
}

TEST_F(GrpcTest, AnEmptyStreamEndsOk) {
  Listen();
  const auto log = OpenStream("/test.Echo/Stream");
  client_.Do([&] { log->stream->CloseSend(); });
  EXPECT_TRUE(log->WaitForEnd().ok());
  EXPECT_TRUE(log->Messages().empty());
}

TEST_F(GrpcTest, RefusesMessagesAboveTheLimitOnEitherSide) {
  server_options_.limits.message_bytes_max = 1000;
  Listen();
  UnaryResult result = CallUnary("/test.Echo/Unary", std::string(1001, 'x'));
  EXPECT_EQ(result.status.code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(result.status.message, "grpc: received message larger than max (1001 vs. 1000)");
  EXPECT_TRUE(CallUnary("/test.Echo/Unary", std::string(1000, 'x')).status.ok());
}

TEST_F(GrpcTest, RefusesAnswersAboveTheLimit) {
  channel_options_.limits.message_bytes_max = 1000;
  Listen();
  EXPECT_EQ(CallUnary("/test.Echo/Unary", std::string(1001, 'x')).status.code,
            GrpcCode::kResourceExhausted);
}

TEST_F(GrpcTest, RefusesHeadersAboveTheLimit) {
  server_options_.limits.header_bytes_max = 2000;
  Listen();
  const std::string large(3000, 'h');
  const std::vector<MetadataView> metadata = {{"x-large", large}};
  const UnaryResult result = CallUnary("/test.Echo/Unary", "m", {.metadata = metadata});
  EXPECT_EQ(result.status.code, GrpcCode::kResourceExhausted) << result.status.message;
  EXPECT_TRUE(CallUnary("/test.Echo/Unary", "m").status.ok());
}

TEST_F(GrpcTest, ThousandsOfCallsAtOnceAreAllAnswered) {
  server_options_.limits.concurrent_streams_max = 100;
  Listen();
  std::vector<std::future<UnaryResult>> results;
  for (int i = 0; i < 3000; ++i)
    results.push_back(StartUnary("/test.Echo/Unary", std::to_string(i)));
  for (int i = 0; i < 3000; ++i) {
    const UnaryResult result = results[static_cast<size_t>(i)].get();
    EXPECT_TRUE(result.status.ok()) << result.status.message;
    EXPECT_EQ(result.message, std::to_string(i));
  }
}

TEST_F(GrpcTest, WaitingCallsAreBounded) {
  server_options_.limits.concurrent_streams_max = 1;
  channel_options_.waiting_calls_max = 2;
  std::vector<std::shared_ptr<ServerCall>> held;
  server_method_ = [&held](const std::shared_ptr<ServerCall>& call, const std::string&) {
    held.push_back(call);
  };
  Listen();
  EXPECT_TRUE(CallUnary("/test.Echo/Unary", "connect").status.ok());
  std::vector<std::future<UnaryResult>> results;
  for (int i = 0; i < 4; ++i) results.push_back(StartUnary("/test.Echo/Method", "m"));
  const UnaryResult refused = results[3].get();
  EXPECT_EQ(refused.status.code, GrpcCode::kUnavailable);
  EXPECT_FALSE(refused.maybe_sent);
  for (size_t answered = 0; answered < 3; ++answered) {
    EXPECT_TRUE(Eventually([&] { return OnServer([&] { return held.size() == 1; }); }));
    server_.Do([&] {
      held[0]->FinishOk("done");
      held.clear();
    });
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(results[i].get().status.ok());
}

TEST_F(GrpcTest, ASlowReaderHoldsUpOnlyItsOwnStream) {
  server_options_.limits.write_buffer_bytes_max = 100000;
  channel_options_.limits.stream_window_bytes = 65535;
  Listen();
  const auto log = OpenStream("/test.Echo/Flood");  // writes whenever it may, until 10 MB
  client_.Do([&] { log->stream->CloseSend(); });
  EXPECT_TRUE(CallUnary("/test.Echo/Unary", "quick").status.ok());
  EXPECT_TRUE(log->WaitForEnd().ok());
  EXPECT_EQ(log->Messages().size(), 1000U);
  EXPECT_LE(flood_unsent_max_, 200000U);
}

TEST_F(GrpcTest, EndsACallWhoseHandlerIgnoresBackpressure) {
  server_options_.limits.write_buffer_bytes_max = 100000;
  channel_options_.limits.stream_window_bytes = 65535;
  Listen();
  const auto log = OpenStream("/test.Echo/RecklessFlood");
  EXPECT_EQ(log->WaitForEnd().code, GrpcCode::kResourceExhausted);
}

}  // namespace
}  // namespace troth::net
