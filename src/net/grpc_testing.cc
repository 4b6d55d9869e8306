#include "net/grpc_testing.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace troth::net {

namespace {

class EchoHandler final : public ServerStreamHandler {
 public:
  EchoHandler(std::shared_ptr<ServerCall> call, std::atomic<int>& cancels)
      : call_(std::move(call)), cancels_(cancels) {}
  void OnMessage(std::string message) override { call_->Write(std::move(message)); }
  void OnHalfClose() override { call_->Finish({}); }
  void OnCancel() override { ++cancels_; }

 private:
  std::shared_ptr<ServerCall> call_;
  std::atomic<int>& cancels_;
};

class FloodHandler final : public ServerStreamHandler {
 public:
  FloodHandler(std::shared_ptr<ServerCall> call, size_t unsent_max, std::atomic<size_t>& seen_max)
      : call_(std::move(call)), unsent_max_(unsent_max), seen_max_(seen_max) {
    OnWritable();
  }
  void OnMessage(std::string) override {}
  void OnHalfClose() override {}
  void OnWritable() override {
    for (; sent_ < kMessages && call_->unsent_bytes() < unsent_max_ && !call_->cancelled();
         ++sent_) {
      call_->Write(std::string(kMessageBytes, 'f'));
      seen_max_ = std::max<size_t>(seen_max_, call_->unsent_bytes());
    }
    if (sent_ == kMessages) call_->Finish({});
  }

 private:
  static constexpr int kMessages = 1000;
  static constexpr size_t kMessageBytes = 10000;
  std::shared_ptr<ServerCall> call_;
  const size_t unsent_max_;
  std::atomic<size_t>& seen_max_;
  int sent_ = 0;
};

}  // namespace

GrpcTest::~GrpcTest() {
  client_.Do([this] { channel_.reset(); });
  if (grpc_server_ != nullptr) StopServer();
}

void GrpcTest::StartServer(uint16_t port) {
  grpc_server_ = std::make_unique<GrpcServer>(std::vector<Loop*>{&server_.loop()}, server_options_);
  grpc_server_->AddUnary("/test.Echo/Unary",
                         [](const std::shared_ptr<ServerCall>& call, const std::string& message) {
                           call->FinishOk(message);
                         });
  if (server_method_) grpc_server_->AddUnary("/test.Echo/Method", server_method_);
  grpc_server_->AddStream("/test.Echo/Stream", [this](std::shared_ptr<ServerCall> call) {
    return std::make_unique<EchoHandler>(std::move(call), echo_cancels_);
  });
  const size_t unsent_max = server_options_.limits.write_buffer_bytes_max;
  grpc_server_->AddStream("/test.Echo/Flood", [this, unsent_max](std::shared_ptr<ServerCall> call) {
    return std::make_unique<FloodHandler>(std::move(call), unsent_max, flood_unsent_max_);
  });
  grpc_server_->AddStream("/test.Echo/RecklessFlood", [this](std::shared_ptr<ServerCall> call) {
    return std::make_unique<FloodHandler>(std::move(call), SIZE_MAX, flood_unsent_max_);
  });
  if (prepare_server_) prepare_server_(*grpc_server_);
  const Status listening = grpc_server_->Listen(Cat("127.0.0.1:", port));
  ASSERT_TRUE(listening.ok()) << listening;
}

void GrpcTest::StopServer() {
  std::promise<void> done;
  grpc_server_->Drain(Duration::zero(), [&] { done.set_value(); });
  ASSERT_EQ(done.get_future().wait_for(kTestPatience), std::future_status::ready);
  ASSERT_TRUE(Eventually([this] { return grpc_server_->connections() == 0; }));
  grpc_server_.reset();
}

void GrpcTest::MakeChannel(uint16_t port, const std::string& host) {
  client_.Do(
      [&] { channel_ = Channel::Make(client_.loop(), Cat(host, ":", port), channel_options_); });
}

void GrpcTest::Listen() {
  StartServer();
  MakeChannel(grpc_server_->port());
}

std::future<UnaryResult> GrpcTest::StartUnary(const std::string& path,
                                              const std::string& message,
                                              TestCallOptions options,
                                              uint64_t* id) {
  auto result = std::make_shared<std::promise<UnaryResult>>();
  client_.Do([&] {
    const UnaryCall call{.path = path,
                         .metadata = options.metadata,
                         .message = message,
                         .timeout = options.timeout,
                         .wait_for_ready = options.wait_for_ready};
    const uint64_t started =
        channel_->Unary(call, [result](UnaryResult got) { result->set_value(std::move(got)); });
    if (id != nullptr) *id = started;
  });
  return result->get_future();
}

UnaryResult GrpcTest::CallUnary(const std::string& path,
                                const std::string& message,
                                TestCallOptions options) {
  std::future<UnaryResult> result = StartUnary(path, message, options);
  if (result.wait_for(kTestPatience) == std::future_status::ready) return result.get();
  return {.status = {GrpcCode::kAborted, "the call did not end"}};
}

std::shared_ptr<StreamLog> GrpcTest::OpenStream(const std::string& path) {
  auto log = std::make_shared<StreamLog>();
  client_.Do([&] { log->stream = channel_->Stream({.path = path}, log); });
  return log;
}

bool GrpcTest::OnServer(const std::function<bool()>& question) {
  bool answer = false;
  server_.Do([&] { answer = question(); });
  return answer;
}

ChannelState GrpcTest::StateOfChannel() {
  ChannelState state = ChannelState::kIdle;
  client_.Do([&] { state = channel_->state(); });
  return state;
}

}  // namespace troth::net
