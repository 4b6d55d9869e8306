// Past a bound every API refuses at once, with a hint to try again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "api/grpc_api.h"
#include "api/http_api.h"
#include "api/json_rpc_api.h"
#include "base/limits.h"
#include "base/text.h"
#include "dtmgimp.pb.h"
#include "net/grpc_client.h"
#include "net/grpc_server.h"
#include "net/http1_server.h"
#include "net/net_testing.h"
#include "store/memory_store.h"

namespace troth {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Its calls never end, so that a transaction stays in flight.
class HangingCaller final : public BranchCaller {
 public:
  void Start(const Call&, CallSink&) override {}
};

class OverloadTest : public ::testing::Test {
 protected:
  void Start(size_t in_flight_max) {
    TransactionManagerOptions options;
    options.engine.limits.in_flight_max = in_flight_max;
    options.engine.request_timeout = Seconds(3600);
    manager_ = std::make_unique<TransactionManager>(
        options,
        std::vector<ShardPlace>{{&shard_loop_, &caller_}},
        store_,
        clock_,
        ShardThread::Observers{.alert = [](const Alert&) {}, .ended = [](const Transaction&) {}});
    context_ = std::make_unique<ApiContext>(ApiContext{.manager = *manager_,
                                                       .topics = topics_,
                                                       .metrics = metrics_,
                                                       .clock = clock_,
                                                       .limits = {}});
    RegisterHttpApi(*context_, router_);
    RegisterJsonRpcApi(*context_, router_);
    const std::vector<net::Loop*> front = {&front_loop_};
    http_ = std::make_unique<net::HttpServer>(
        front, net::HttpServerOptions{}, [this](std::shared_ptr<net::HttpCall> call) {
          router_.Serve(std::move(call));
        });
    grpc_ = std::make_unique<net::GrpcServer>(front, net::GrpcServerOptions{});
    RegisterGrpcApi(*context_, *grpc_);
    ASSERT_TRUE(http_->Listen("127.0.0.1:0").ok());
    ASSERT_TRUE(grpc_->Listen("127.0.0.1:0").ok());
    manager_->Start();
    shard_thread_ = std::thread([this] { shard_loop_.Run(); });
    front_thread_ = std::thread([this] { front_loop_.Run(); });
  }

  void TearDown() override {
    std::promise<void> drained;  // a loop that has stopped cuts no connection
    http_->Drain(Duration(0), [&drained] { drained.set_value(); });
    drained.get_future().wait();
    shard_loop_.Stop();
    front_loop_.Stop();
    shard_thread_.join();
    front_thread_.join();
    manager_->Halt();
    http_.reset();
    grpc_.reset();
    manager_.reset();
  }

  // The whole answer, headers too.
  std::string Post(std::string_view path, std::string_view body) {
    net::RawSocket client = net::RawSocket::Connect(http_->port());
    EXPECT_TRUE(client.Send(Cat("POST ",
                                path,
                                " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ",
                                body.size(),
                                "\r\n\r\n",
                                body)));
    return client.ReadAll();
  }
  std::string Submit(std::string_view gid) { return Post("/api/dtmsvr/submit", SubmitBody(gid)); }
  static std::string SubmitBody(std::string_view gid) {
    return Cat(
        R"({"gid":")",
        gid,
        R"(","trans_type":"msg","steps":[{"action":"http://127.0.0.1/a"}],"payloads":["{}"]})");
  }

  net::GrpcStatus SubmitByGrpc(std::string_view gid) {
    dtmgimp::DtmRequest request;
    request.set_gid(std::string(gid));
    request.set_transtype("msg");
    request.set_steps(R"([{"action":"http://127.0.0.1/a"}])");
    request.add_binpayloads("{}");
    const std::string message = request.SerializeAsString();
    net::LoopThread client;
    std::promise<net::GrpcStatus> answered;
    std::shared_ptr<net::Channel> channel;
    client.Do([&] {
      channel = net::Channel::Make(
          client.loop(), Cat("127.0.0.1:", grpc_->port()), net::ChannelOptions{});
      channel->Unary(
          {.path = "/dtmgimp.Dtm/Submit", .message = message, .timeout = net::kTestPatience},
          [&answered](const net::UnaryResult& result) { answered.set_value(result.status); });
    });
    const net::GrpcStatus status = answered.get_future().get();
    client.Do([&] {
      channel->Close(Duration(0));
      channel.reset();
    });
    return status;
  }

  void ExpectEveryApiRefuses(std::string_view why) {
    const std::string http = Submit("next");
    EXPECT_THAT(http, StartsWith("HTTP/1.1 429 "));
    EXPECT_THAT(http, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_THAT(http, HasSubstr(why));
    const net::GrpcStatus grpc = SubmitByGrpc("next");
    EXPECT_EQ(grpc.code, net::GrpcCode::kResourceExhausted);
    EXPECT_THAT(grpc.message, HasSubstr(why));
    const std::string rpc = Post(
        "/api/json-rpc",
        Cat(R"({"jsonrpc":"2.0","id":1,"method":"submit","params":)", SubmitBody("next"), "}"));
    EXPECT_THAT(rpc, HasSubstr(R"("code":-32000)"));
    EXPECT_THAT(rpc, HasSubstr(why));
  }

  net::Loop shard_loop_;
  net::Loop front_loop_;
  HangingCaller caller_;
  MemoryStore store_;
  const SystemClock clock_{};
  Topics topics_;
  ApiMetrics metrics_{{&front_loop_}};
  HttpRouter router_;
  std::unique_ptr<TransactionManager> manager_;
  std::unique_ptr<ApiContext> context_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<net::GrpcServer> grpc_;
  std::thread shard_thread_;
  std::thread front_thread_;
};

TEST_F(OverloadTest, TooManyTransactionsInFlight) {
  Start(1);
  EXPECT_THAT(Submit("first"), StartsWith("HTTP/1.1 200 "));
  ExpectEveryApiRefuses("too many transactions in flight");
}

TEST_F(OverloadTest, TooManyRequestsWaitForAShard) {
  Start(1);
  std::promise<void> go_on;
  shard_loop_.Post([held = go_on.get_future().share()] { held.wait(); });
  std::atomic<size_t> answered = 0;
  for (size_t i = 0; i < limits::kInboxRequestsMax; ++i) {
    Request request;
    request.kind = RequestKind::kForceStop;
    request.draft.gid = "none";
    manager_->Request(std::move(request), front_loop_, [&answered](const ClientAnswer&) {
      answered.fetch_add(1);
    });
  }
  ExpectEveryApiRefuses("too many requests are waiting");
  go_on.set_value();
  EXPECT_TRUE(
      net::Eventually([&answered] { return answered.load() == limits::kInboxRequestsMax; }));
}

}  // namespace
}  // namespace troth
