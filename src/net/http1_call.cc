#include "net/http1_call_internal.h"

#include "base/check.h"

namespace troth::net {
namespace {

constexpr int kFirstErrorStatus = 400;

}  // namespace

HttpServerCall::HttpServerCall(std::shared_ptr<HttpConnection> connection,
                               uint64_t exchange,
                               HttpRequest request)
    : loop_(connection->loop()),
      connection_(std::move(connection)),
      exchange_(exchange),
      request_(std::move(request)) {}

HttpServerCall::~HttpServerCall() {
  if (answer_ == Answer::kComplete || connection_.expired()) return;
  loop_.Post([connection = connection_, exchange = exchange_] {
    if (const auto alive = connection.lock()) alive->Abandon(exchange);
  });
}

void HttpServerCall::Respond(HttpResponse response) {
  TROTH_CHECK(answer_ == Answer::kOpen);
  answer_ = Answer::kComplete;
  watched_.End(loop_, response.status < kFirstErrorStatus);
  if (const auto connection = connection_.lock())
    connection->Respond(exchange_, std::move(response));
}

void HttpServerCall::StartStream(HttpResponse head) {
  TROTH_CHECK(answer_ == Answer::kOpen);
  answer_ = Answer::kStreaming;
  watched_.End(loop_, head.status < kFirstErrorStatus);
  if (const auto connection = connection_.lock())
    connection->StartStream(exchange_, std::move(head));
}

void HttpServerCall::WriteChunk(std::string_view bytes) {
  TROTH_CHECK(answer_ == Answer::kStreaming);
  if (const auto connection = connection_.lock()) connection->WriteChunk(exchange_, bytes);
}

void HttpServerCall::EndStream() {
  TROTH_CHECK(answer_ == Answer::kStreaming);
  answer_ = Answer::kComplete;
  if (const auto connection = connection_.lock()) connection->EndStream(exchange_);
}

size_t HttpServerCall::unsent_bytes() const {
  const auto connection = connection_.lock();
  return connection != nullptr && !gone_ ? connection->unsent_bytes() : 0;
}

void HttpServerCall::OnGone(std::function<void()> listener) {
  on_gone_ = std::move(listener);
  // Told later, as always, so that the caller need not expect it in here.
  if (gone_) loop_.Post(std::exchange(on_gone_, nullptr));
}

void HttpServerCall::TellGone() {
  if (std::exchange(gone_, true)) return;
  on_writable_ = nullptr;
  if (const auto listener = std::exchange(on_gone_, nullptr)) listener();
}

void HttpServerCall::TellWritable() {
  if (on_writable_) on_writable_();
}

}  // namespace troth::net
