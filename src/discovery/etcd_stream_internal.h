#pragma once
// One open stream to etcd: what its owner and the transport share. The owner may let go at any
// time, also inside a callback; the transport holds it until the stream's end. For one loop's
// thread.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "net/grpc_client.h"

namespace troth {

class EtcdStreamState final : public net::ClientStreamHandler,
                              public std::enable_shared_from_this<EtcdStreamState> {
 public:
  // An error from on_message ends the stream with it. on_end comes at most once.
  EtcdStreamState(std::function<Status(std::string)> on_message, std::function<void(Status)> on_end)
      : on_message_(std::move(on_message)), on_end_(std::move(on_end)) {}

  void Attach(std::shared_ptr<net::ClientStream> stream) { stream_ = std::move(stream); }
  void Write(std::string message) {
    if (stream_ != nullptr) stream_->Write(std::move(message));
  }
  // No callback comes after this.
  void Detach() {
    ended_ = true;
    if (const auto stream = std::exchange(stream_, nullptr)) stream->Cancel();
  }

  void OnMessage(std::string message) override {
    if (ended_) return;
    const auto self = shared_from_this();  // the owner may let go inside the callback
    const Status status = on_message_(std::move(message));
    if (!status.ok()) End(status);
  }
  void OnEnd(const net::GrpcStatus& status, const net::Metadata&) override {
    // etcd never ends a stream of its own accord while it is well.
    End(status.ok() ? Unavailable("etcd ended the stream")
                    : MakeStatus(status.code, status.message));
  }

 private:
  void End(const Status& status) {
    if (ended_) return;
    Detach();
    on_end_(status);
  }

  const std::function<Status(std::string)> on_message_;
  const std::function<void(Status)> on_end_;
  std::shared_ptr<net::ClientStream> stream_;
  bool ended_ = false;
};

}  // namespace troth
