#pragma once
// A GrpcServer and a Channel, each with a loop of its own, for tests.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/grpc_client.h"
#include "net/grpc_server.h"
#include "net/net_testing.h"

namespace troth::net {

// What a client stream has received; any thread may look.
class StreamLog final : public ClientStreamHandler {
 public:
  std::shared_ptr<ClientStream> stream;  // for the client's loop

  void OnMessage(std::string message) override {
    std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  void OnEnd(const GrpcStatus& status, const Metadata&) override {
    stream.reset();
    end_.set_value(status);
  }
  std::vector<std::string> Messages() {
    std::lock_guard lock(mutex_);
    return messages_;
  }
  // Aborted when it does not end in time.
  GrpcStatus WaitForEnd() {
    std::future<GrpcStatus> end = end_.get_future();
    if (end.wait_for(kTestPatience) != std::future_status::ready)
      return {GrpcCode::kAborted, "no end"};
    return end.get();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
  std::promise<GrpcStatus> end_;
};

struct TestCallOptions {
  std::span<const MetadataView> metadata = {};
  Duration timeout = Seconds(0);
  bool wait_for_ready = false;
};

// The service "test.Echo": Unary and Stream send back what comes, Method does as `server_method_`
// says, Flood sends 1000 messages of 10 kB as fast as it may, RecklessFlood faster.
class GrpcTest : public ::testing::Test {
 protected:
  ~GrpcTest() override;

  // Starts server and channel with the options set so far.
  void Listen();
  void StartServer(uint16_t port = 0);
  void StopServer();  // at once
  void MakeChannel(uint16_t port, const std::string& host = "127.0.0.1");

  std::future<UnaryResult> StartUnary(const std::string& path,
                                      const std::string& message,
                                      TestCallOptions options = {},
                                      uint64_t* id = nullptr);
  UnaryResult CallUnary(const std::string& path,
                        const std::string& message,
                        TestCallOptions options = {});
  std::shared_ptr<StreamLog> OpenStream(const std::string& path);

  bool OnServer(const std::function<bool()>& question);
  ChannelState StateOfChannel();

  LoopThread server_;
  LoopThread client_;
  GrpcServerOptions server_options_;
  ChannelOptions channel_options_;
  UnaryMethod server_method_;
  std::function<void(GrpcServer&)> prepare_server_;  // adds methods before it listens
  std::unique_ptr<GrpcServer> grpc_server_;
  std::shared_ptr<Channel> channel_;  // used on client_ only
  std::atomic<int> echo_cancels_ = 0;
  std::atomic<size_t> flood_unsent_max_ = 0;
};

}  // namespace troth::net
