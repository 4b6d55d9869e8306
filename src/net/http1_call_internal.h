#pragma once
// The handler's half of an exchange: HttpCall over a HttpConnection.

#include <functional>
#include <memory>
#include <utility>

#include "net/http1_connection_internal.h"

namespace troth::net {

class HttpServerCall final : public HttpCall {
 public:
  HttpServerCall(std::shared_ptr<HttpConnection> connection,
                 uint64_t exchange,
                 HttpRequest request);
  ~HttpServerCall() override;

  const HttpRequest& request() const override { return request_; }
  Loop& loop() override { return loop_; }
  bool cancelled() const override { return gone_; }
  void Watch(CallWatcher& watcher, uint32_t tag) override { watched_.Begin(watcher, tag, loop_); }
  void Respond(HttpResponse response) override;
  void StartStream(HttpResponse head) override;
  void WriteChunk(std::string_view bytes) override;
  void EndStream() override;
  size_t unsent_bytes() const override;
  void OnGone(std::function<void()> listener) override;
  void OnWritable(std::function<void()> listener) override { on_writable_ = std::move(listener); }

  // From the connection.
  void TellGone();
  void TellWritable();

 private:
  enum class Answer : uint8_t { kOpen, kStreaming, kComplete };

  Loop& loop_;
  // Not owning: the connection must end on its loop, a call may be dropped on any thread.
  const std::weak_ptr<HttpConnection> connection_;
  const uint64_t exchange_;
  const HttpRequest request_;
  Answer answer_ = Answer::kOpen;
  bool gone_ = false;
  WatchedCall watched_;
  std::function<void()> on_gone_;
  std::function<void()> on_writable_;
};

}  // namespace troth::net
