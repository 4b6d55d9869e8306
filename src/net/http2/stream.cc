#include "net/http2/stream.h"

#include <utility>

#include "net/http2/session.h"

namespace troth::net {

Http2Stream::~Http2Stream() = default;

void Http2Stream::SendHeaders(std::span<const Http2Header> headers, bool end) {
  if (!MaySend() || headers_sent_) return;
  session_->SendHeadersOf(*this, headers, end);
}

void Http2Stream::SendData(std::string_view bytes) {
  if (!MaySend() || end_ != End::kOpen || session_->WriteAtOnce(*this, bytes)) return;
  queue_.Append(bytes);
  session_->OnQueued(*this, bytes.size());
}

void Http2Stream::SendData(std::string&& bytes) {
  if (!MaySend() || end_ != End::kOpen || session_->WriteAtOnce(*this, bytes)) return;
  const size_t size = bytes.size();
  queue_.Append(std::move(bytes));
  session_->OnQueued(*this, size);
}

void Http2Stream::EndWithTrailers() {
  if (!MaySend() || end_ != End::kOpen) return;
  end_ = End::kTrailers;
  session_->EndAfterData(*this);
}

void Http2Stream::EndSend() {
  if (!MaySend() || end_ != End::kOpen) return;
  end_ = End::kPlain;
  session_->EndAfterData(*this);
}

void Http2Stream::Reset(Http2Error error) {
  if (MaySend()) session_->ResetStream(*this, error);
}

}  // namespace troth::net
