// What a session sends: frames are written behind one another when their content is known; data
// that has to wait is cut into frames when it is pulled.

#include <algorithm>
#include <array>
#include <utility>

#include "net/http2/session.h"

namespace troth::net {

namespace {

// While more than this is written and not pulled, data waits in its stream, so that the parts of
// large ones take turns.
constexpr size_t kAtOnceBytesMax = 1 << 20;
// More than this is given back once it has been pulled: connections are many.
constexpr size_t kKeptBytesMax = 256 << 10;

}  // namespace

// --- what streams say

void Http2Session::SendHeadersOf(Http2Stream& stream,
                                 std::span<const Http2Header> headers,
                                 bool end) {
  stream.headers_sent_ = true;
  WriteHeaders(stream.id_, headers, end, written_);
  if (end) {
    stream.end_ = Http2Stream::End::kPlain;
    return OnSendFinished(stream);
  }
  if (stream.end_ != Http2Stream::End::kOpen) EndAfterData(stream);
  QueueIfSendable(stream);
}

bool Http2Session::WriteAtOnce(Http2Stream& stream, std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (!stream.headers_sent_ || stream.queue_.size() > 0 || size > kFramePayloadMax) return false;
  if (size > std::min(stream.send_window_, send_window_)) return false;
  if (written_bytes() + bytes.size() > kAtOnceBytesMax) return false;
  OpenFrame& frame = open_frame_;
  const bool joins = frame.stream == stream.id_ &&
                     frame.at + kFrameHeaderBytes + frame.length == written_.size() &&
                     frame.length + bytes.size() <= kFramePayloadMax;
  if (!joins) {
    frame = {.stream = stream.id_, .at = written_.size()};
    AppendFrameHeader({.type = FrameType::kData, .stream = stream.id_}, written_);
  }
  frame.length += static_cast<uint32_t>(size);
  SetFrameLength(frame.at, frame.length, written_);
  written_.append(bytes);
  stream.send_window_ -= size;
  send_window_ -= size;
  guard_.OnProgress();
  WantWrite();
  return true;
}

void Http2Session::OnQueued(Http2Stream& stream, size_t bytes) {
  queued_bytes_ += bytes;
  QueueIfSendable(stream);
}

void Http2Session::EndAfterData(Http2Stream& stream) {
  if (stream.headers_sent_ && stream.queue_.size() == 0) WriteEnd(stream, written_);
}

void Http2Session::ResetStream(Http2Stream& stream, Http2Error error) {
  if (stream.over()) return;
  stream.reset_ = true;
  stream.reset_error_ = error;
  queued_bytes_ -= stream.queue_.size();
  stream.queue_.Clear();
  WriteReset(stream.id_, error);
  CloseLater(stream);
}

void Http2Session::QueueIfSendable(Http2Stream& stream) {
  if (stream.queued_ || !stream.headers_sent_ || stream.queue_.size() == 0) return;
  if (stream.send_window_ <= 0) return;
  stream.queued_ = true;
  sendable_.push_back(stream.self_);
  WantWrite();
}

// --- frames

void Http2Session::WriteHeaders(uint32_t id,
                                std::span<const Http2Header> headers,
                                bool end,
                                std::string& out) {
  const size_t at = out.size();
  AppendFrameHeader({.type = FrameType::kHeaders, .stream = id}, out);
  encoder_.Append(headers, out);
  if (end) AddFrameFlag(at, kFlagEndStream, out);
  const size_t size = out.size() - at - kFrameHeaderBytes;
  if (size <= kFramePayloadMax) {
    SetFrameLength(at, static_cast<uint32_t>(size), out);
    AddFrameFlag(at, kFlagEndHeaders, out);
  } else {
    SplitHeaders(id, at, out);
  }
  guard_.OnProgress();
  WantWrite();
}

// The block behind the frame header at `at` is larger than a frame may be.
void Http2Session::SplitHeaders(uint32_t id, size_t at, std::string& out) {
  const std::string block = out.substr(at + kFrameHeaderBytes);
  out.resize(at + kFrameHeaderBytes + kFramePayloadMax);
  SetFrameLength(at, kFramePayloadMax, out);
  for (std::string_view rest = std::string_view(block).substr(kFramePayloadMax); !rest.empty();) {
    const std::string_view part = rest.substr(0, kFramePayloadMax);
    rest.remove_prefix(part.size());
    AppendFrameHeader({.length = static_cast<uint32_t>(part.size()),
                       .type = FrameType::kContinuation,
                       .flags = rest.empty() ? kFlagEndHeaders : uint8_t{0},
                       .stream = id},
                      out);
    out.append(part);
  }
}

void Http2Session::WriteEnd(Http2Stream& stream, std::string& out) {
  const OpenFrame& frame = open_frame_;
  if (stream.end_ == Http2Stream::End::kTrailers) {
    trailers_.clear();
    stream.AddTrailers(trailers_);
    WriteHeaders(stream.id_, trailers_, true, out);
  } else if (&out == &written_ && frame.stream == stream.id_ &&
             frame.at + kFrameHeaderBytes + frame.length == out.size()) {
    AddFrameFlag(frame.at, kFlagEndStream, out);
  } else {
    AppendFrameHeader({.type = FrameType::kData, .flags = kFlagEndStream, .stream = stream.id_},
                      out);
  }
  OnSendFinished(stream);
}

void Http2Session::WriteReset(uint32_t id, Http2Error error) {
  AppendFrameHeader({.length = 4, .type = FrameType::kResetStream, .stream = id}, written_);
  AppendUint32(static_cast<uint32_t>(error), written_);
  WantWrite();
}

void Http2Session::WriteGoAway(uint32_t last_id, Http2Error error) {
  AppendFrameHeader({.length = 8, .type = FrameType::kGoAway}, written_);
  AppendUint32(last_id, written_);
  AppendUint32(static_cast<uint32_t>(error), written_);
  WantWrite();
}

void Http2Session::WriteWindowUpdate(uint32_t id, uint32_t bytes) {
  AppendFrameHeader({.length = 4, .type = FrameType::kWindowUpdate, .stream = id}, written_);
  AppendUint32(bytes, written_);
  WantWrite();
}

void Http2Session::WritePing(std::string_view eight_bytes, uint8_t flags) {
  AppendFrameHeader({.length = 8, .type = FrameType::kPing, .flags = flags}, written_);
  written_.append(eight_bytes);
  WantWrite();
}

void Http2Session::Ping() { WritePing(kPingOfKeepAlive, 0); }

// --- ends of streams

void Http2Session::OnSendFinished(Http2Stream& stream) {
  stream.send_finished_ = true;
  WantWrite();
  if (options_.server || stream.peer_ended_) CloseLater(stream);
}

void Http2Session::CloseLater(Http2Stream& stream) {
  if (std::exchange(stream.closing_, true)) return;
  closing_.push_back(stream.self_);
  WantWrite();
}

// A whole answer is out and its client still sends: it is asked to stop (RFC 9113 section 8.1).
void Http2Session::AskEndedToStop() {
  for (const StreamPtr& stream : closing_) {
    if (!stream->stream_open() || stream->reset_ || stream->peer_ended_) continue;
    stream->reset_ = true;
    WriteReset(stream->id_, Http2Error::kNone);
  }
}

void Http2Session::CloseEnded() {
  for (size_t i = 0; i < closing_.size(); ++i) {  // a stream that ends may end others
    const StreamPtr stream = std::move(closing_[i]);
    if (stream->stream_open()) Detach(*stream, stream->reset_error_);
  }
  closing_.clear();
}

// --- Pull

void Http2Session::Pull(std::string& out, size_t limit) {
  if (closed_) return;
  pulling_ = true;
  AskEndedToStop();
  TakeWritten(out, limit);
  if (written_.empty() && !terminated_) SendQueued(out, limit);
  CloseEnded();
  NotifyWritable();
  pulling_ = wants_write_told_ = false;
  if (HasOutput()) WantWrite();
}

void Http2Session::TakeWritten(std::string& out, size_t limit) {
  open_frame_ = {};
  const size_t size = std::min(written_bytes(), limit - std::min(limit, out.size()));
  out.append(written_, written_taken_, size);
  written_taken_ += size;
  if (written_bytes() > 0 && written_taken_ < kKeptBytesMax) return;
  written_.erase(0, written_taken_);  // also where it never becomes empty
  pulled_before_ += std::exchange(written_taken_, 0);
  if (!written_.empty()) return;
  if (written_.capacity() > kKeptBytesMax) written_ = std::string();
  guard_.OnAllPulled();
}

// The parts of large ones take turns.
void Http2Session::SendQueued(std::string& out, size_t limit) {
  while (!sendable_.empty() && send_window_ > 0 && out.size() < limit) {
    const StreamPtr stream = std::move(sendable_.front());
    sendable_.pop_front();
    stream->queued_ = false;
    if (!stream->MaySend()) continue;
    SendSome(*stream, out);
    if (stream->MaySend()) QueueIfSendable(*stream);
  }
}

void Http2Session::SendSome(Http2Stream& stream, std::string& out) {
  const int64_t window = std::min({send_window_, stream.send_window_, int64_t{kFramePayloadMax}});
  const size_t size =
      std::min(stream.queue_.size(), static_cast<size_t>(std::max<int64_t>(window, 0)));
  if (size == 0) return;
  const bool all = size == stream.queue_.size();
  const bool last = all && stream.end_ == Http2Stream::End::kPlain;
  AppendFrameHeader({.length = static_cast<uint32_t>(size),
                     .type = FrameType::kData,
                     .flags = last ? kFlagEndStream : uint8_t{0},
                     .stream = stream.id_},
                    out);
  stream.queue_.MoveTo(out, size);
  queued_bytes_ -= size;
  stream.send_window_ -= static_cast<int64_t>(size);
  send_window_ -= static_cast<int64_t>(size);
  guard_.OnProgress();
  if (stream.queue_.size() < stream.notify_below_) {
    stream.notify_below_ = 0;
    writable_.push_back(stream.self_);
  }
  if (last) return OnSendFinished(stream);
  if (all && stream.end_ == Http2Stream::End::kTrailers) WriteEnd(stream, out);
}

void Http2Session::NotifyWritable() {
  if (writable_.empty()) return;
  for (const StreamPtr& stream : std::exchange(writable_, {})) {
    if (stream->stream_open()) stream->OnUnsentBelow();
  }
}

bool Http2Session::HasOutput() const {
  return written_bytes() > 0 || !closing_.empty() ||
         (!terminated_ && !sendable_.empty() && send_window_ > 0);
}

}  // namespace troth::net
