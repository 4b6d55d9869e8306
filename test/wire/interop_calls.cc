#include "interop_calls.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "base/text.h"

namespace troth::net {

void Expect(bool holds, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "failed: %s\n", std::string(text).c_str());
  std::_Exit(1);
}

void ExpectCode(const GrpcStatus& status, GrpcCode code) {
  Expect(status.code == code,
         Cat("expected ",
             GrpcCodeName(code),
             ", got ",
             GrpcCodeName(status.code),
             ": ",
             status.message));
}

// --- BlockingStream

void BlockingStream::Write(std::string message) {
  loop_.Post([self = shared_from_this(), message = std::move(message)]() mutable {
    self->stream_->Write(std::move(message));
  });
}

void BlockingStream::CloseSend() {
  loop_.Post([self = shared_from_this()] { self->stream_->CloseSend(); });
}

void BlockingStream::Cancel() {
  loop_.Post([self = shared_from_this()] { self->stream_->Cancel(); });
}

void BlockingStream::OnMessage(std::string message) {
  std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
  changed_.notify_all();
}

void BlockingStream::OnEnd(const GrpcStatus& status, const Metadata& trailers) {
  std::lock_guard lock(mutex_);
  trailers_ = trailers;
  end_ = status;
  changed_.notify_all();
}

std::string BlockingStream::Read() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !messages_.empty() || end_.has_value(); });
  if (messages_.empty()) Expect(false, Cat("the stream ended early: ", end_->message));
  std::string message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

GrpcStatus BlockingStream::End() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return end_.has_value(); });
  return *end_;
}

size_t BlockingStream::unread() {
  std::lock_guard lock(mutex_);
  return messages_.size();
}

// --- InteropCalls

InteropCalls::InteropCalls(std::string address, ChannelOptions options)
    : thread_([this] { loop_.Run(); }) {
  DoOnLoop([&] { channel_ = Channel::Make(loop_, std::move(address), std::move(options)); });
}

InteropCalls::~InteropCalls() {
  DoOnLoop([this] { channel_.reset(); });
  loop_.Stop();
  thread_.join();
}

void InteropCalls::DoOnLoop(const std::function<void()>& work) {
  std::promise<void> done;
  loop_.Post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

UnaryResult InteropCalls::Unary(std::string_view path,
                                const std::string& message,
                                std::span<const MetadataView> metadata) {
  std::promise<UnaryResult> result;
  loop_.Post([&] {
    const UnaryCall call{
        .path = path, .metadata = metadata, .message = message, .timeout = Seconds(30)};
    channel_->Unary(call, [&](UnaryResult got) { result.set_value(std::move(got)); });
  });
  return result.get_future().get();
}

std::shared_ptr<BlockingStream> InteropCalls::Stream(std::string_view path,
                                                     std::span<const MetadataView> metadata,
                                                     Duration timeout) {
  auto stream = std::make_shared<BlockingStream>(loop_);
  DoOnLoop(
      [&] { stream->Start(*channel_, {.path = path, .metadata = metadata, .timeout = timeout}); });
  return stream;
}

}  // namespace troth::net
