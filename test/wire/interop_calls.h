#pragma once
// Blocking calls on a Channel, for a program that does one thing after the other. What goes wrong
// ends the process.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "net/grpc_client.h"

namespace troth::net {

// Ends the process with `text` when `holds` is false.
void Expect(bool holds, std::string_view text);
void ExpectCode(const GrpcStatus& status, GrpcCode code);

// A streaming call seen from another thread than its loop's.
class BlockingStream final : public ClientStreamHandler,
                             public std::enable_shared_from_this<BlockingStream> {
 public:
  explicit BlockingStream(Loop& loop) : loop_(loop) {}
  void Start(Channel& channel, const UnaryCall& call) {
    stream_ = channel.Stream(call, shared_from_this());
  }

  void Write(std::string message);
  void CloseSend();
  void Cancel();
  // The next message; the end of the stream is a failure.
  std::string Read();
  // How it ended; waits for it.
  GrpcStatus End();
  size_t unread();
  const Metadata& initial_metadata() const { return initial_metadata_; }  // after End
  const Metadata& trailers() const { return trailers_; }                  // after End

 private:
  void OnInitialMetadata(const Metadata& metadata) override { initial_metadata_ = metadata; }
  void OnMessage(std::string message) override;
  void OnEnd(const GrpcStatus& status, const Metadata& trailers) override;

  Loop& loop_;
  std::shared_ptr<ClientStream> stream_;  // for the loop's thread
  Metadata initial_metadata_;
  Metadata trailers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> messages_;
  std::optional<GrpcStatus> end_;
};

// A channel and the thread of its loop.
class InteropCalls {
 public:
  InteropCalls(std::string address, ChannelOptions options);
  ~InteropCalls();
  InteropCalls(const InteropCalls&) = delete;
  InteropCalls& operator=(const InteropCalls&) = delete;

  UnaryResult Unary(std::string_view path,
                    const std::string& message,
                    std::span<const MetadataView> metadata = {});
  std::shared_ptr<BlockingStream> Stream(std::string_view path,
                                         std::span<const MetadataView> metadata = {},
                                         Duration timeout = Seconds(30));

 private:
  void DoOnLoop(const std::function<void()>& work);

  Loop loop_;
  std::thread thread_;
  std::shared_ptr<Channel> channel_;
};

}  // namespace troth::net
