// What a session understands: a function for each type of frame. A returned fault ends the
// connection; faults of one stream reset it.

#include <algorithm>
#include <optional>
#include <utility>

#include "net/http2/session.h"

namespace troth::net {

namespace {

constexpr uint32_t kPriorityBytes = 5;
constexpr size_t kSettingBytes = 6;
constexpr size_t kPingBytes = 8;
constexpr size_t kGoAwayBytes = 8;
constexpr uint32_t kFrameSizeMaxMax = (1 << 24) - 1;

Http2Fault Protocol(std::string_view text) { return {Http2Error::kProtocol, text}; }

Http2Fault WrongSize() { return {Http2Error::kFrameSize, "a frame has the wrong size"}; }

// The payload without padding. Nothing: there is more padding than payload.
std::optional<std::string_view> WithoutPadding(const Frame& frame) {
  if (!frame.header.Has(kFlagPadded)) return frame.payload;
  if (frame.payload.empty()) return std::nullopt;
  const size_t padding = static_cast<uint8_t>(frame.payload.front());
  if (padding >= frame.payload.size()) return std::nullopt;
  return frame.payload.substr(1, frame.payload.size() - 1 - padding);
}

// Priorities mean nothing to us (RFC 9113 section 5.3.2); still nobody depends on itself.
Http2Fault CheckPriority(std::string_view priority, uint32_t stream) {
  if ((ReadUint32(priority) & kStreamIdMax) != stream) return {};
  return Protocol("a stream depends on itself");
}

}  // namespace

Http2Fault Http2Session::OnFrame(const Frame& frame) {
  const Http2Fault flood = guard_.OnFrame(frame.header);
  if (!flood.ok()) return flood;
  if (block_.stream != 0 && frame.header.type != FrameType::kContinuation) {
    return Protocol("a header block is interrupted by another frame");
  }
  switch (frame.header.type) {
    case FrameType::kData: return OnData(frame);
    case FrameType::kHeaders: return OnHeaders(frame);
    case FrameType::kContinuation: return OnContinuation(frame);
    case FrameType::kResetStream: return OnResetStream(frame);
    case FrameType::kSettings: return OnSettings(frame);
    case FrameType::kPing: return OnPing(frame);
    case FrameType::kGoAway: return OnGoAway(frame);
    case FrameType::kWindowUpdate: return OnWindowUpdate(frame);
    case FrameType::kPushPromise: return Protocol("a push, which we neither allow nor are to get");
    case FrameType::kPriority:
      if (frame.header.stream == 0) return Protocol("PRIORITY without a stream");
      if (frame.payload.size() != kPriorityBytes) return WrongSize();
      return CheckPriority(frame.payload, frame.header.stream);
  }
  return {};  // of an extension we do not know
}

// --- header blocks

Http2Fault Http2Session::OnHeaders(const Frame& frame) {
  const uint32_t id = frame.header.stream;
  if (id == 0) return Protocol("HEADERS without a stream");
  std::optional<std::string_view> block = WithoutPadding(frame);
  if (!block) return Protocol("HEADERS with more padding than payload");
  if (frame.header.Has(kFlagPriority)) {
    if (block->size() < kPriorityBytes) return WrongSize();
    const Http2Fault fault = CheckPriority(*block, id);
    if (!fault.ok()) return fault;
    block->remove_prefix(kPriorityBytes);
  }
  const bool end_stream = frame.header.Has(kFlagEndStream);
  if (frame.header.Has(kFlagEndHeaders)) return OnBlock(id, end_stream, *block);
  block_ = {.stream = id, .end_stream = end_stream, .bytes = std::string(*block)};
  return {};
}

Http2Fault Http2Session::OnContinuation(const Frame& frame) {
  if (block_.stream == 0 || block_.stream != frame.header.stream) {
    return Protocol("CONTINUATION of nothing");
  }
  block_.bytes.append(frame.payload);
  if (!frame.header.Has(kFlagEndHeaders)) return {};
  const Block block = std::exchange(block_, {});
  return OnBlock(block.stream, block.end_stream, block.bytes);
}

Http2Fault Http2Session::OnBlock(uint32_t id, bool end_stream, std::string_view block) {
  Http2Stream* stream = Find(id);
  if (stream != nullptr && stream->peer_ended_) {
    return {Http2Error::kStreamClosed, "a frame on a stream the peer had ended"};
  }
  if (stream == nullptr && options_.server && id > last_peer_id_) {
    return OnRequest(id, end_stream, block);
  }
  if (stream == nullptr) {
    const Http2Fault fault = FaultOfMissing(id);
    if (!fault.ok()) return fault;
  }
  return OnBlockOf(stream, end_stream, block);
}

Http2Fault Http2Session::OnRequest(uint32_t id, bool end_stream, std::string_view block) {
  if (id % 2 == 0) return Protocol("a client's stream has an even id");
  past_streams_.OnOpen(id, last_peer_id_);
  StreamPtr stream;
  if (!go_away_sent_) {  // else the peer learns from that that this one is not handled
    last_peer_id_ = id;
    if (streams_.size() >= options_.streams_max && settings_acknowledged_) {
      return Protocol("more streams are open than were agreed to");
    }
    const bool room =
        streams_.size() < options_.streams_max && unsent_bytes() <= options_.unsent_bytes_max;
    if (room) stream = listener_.OnNewStream();
    if (stream == nullptr) {
      if (end_stream) past_streams_.OnPeerEnd(id);
      const Http2Fault fault = Refuse(id);
      if (!fault.ok()) return fault;
    }
  }
  Http2Stream* opened = stream.get();
  if (opened != nullptr) Attach(std::move(stream), id);
  return OnBlockOf(opened, end_stream, block);
}

// Without a stream the block is read for the sake of the table alone.
Http2Fault Http2Session::OnBlockOf(Http2Stream* stream, bool end_stream, std::string_view block) {
  decoder_.Begin(block);
  while (const std::optional<ReceivedField> field = decoder_.Next()) {
    if (stream == nullptr || stream->reset_) continue;
    if (!stream->rules_.OnField(field->kind, field->value)) {
      stream->Reset(Http2Error::kProtocol);
    } else {
      stream->OnHeader(field->name, field->value);
    }
  }
  if (decoder_.failed()) return {Http2Error::kCompression, "a header block cannot be read"};
  if (stream == nullptr) return {};
  if (end_stream) stream->peer_ended_ = true;
  if (stream->reset_) return {};
  if (!stream->rules_.OnBlockEnd(end_stream)) {
    stream->Reset(Http2Error::kProtocol);
    return {};
  }
  stream->OnHeadersEnd(end_stream);
  return end_stream ? OnPeerEnd(*stream) : Http2Fault{};
}

// A frame for a stream that is not open: what is wrong with that, if anything.
Http2Fault Http2Session::FaultOfMissing(uint32_t id) const {
  if (past_streams_.WasPassedOver(id)) return Protocol("a stream id that was passed over is used");
  if (IsIdle(id)) return Protocol("a frame on a stream that was never opened");
  if (past_streams_.WasEndedByPeer(id)) {
    return {Http2Error::kStreamClosed, "a frame on a stream the peer had ended"};
  }
  return {};
}

bool Http2Session::IsIdle(uint32_t id) const {
  const bool ours = (id % 2 == 1) == !options_.server;
  if (!options_.server) return !ours || id >= next_id_;
  return ours || (id > last_peer_id_ && !go_away_sent_);
}

Http2Fault Http2Session::Refuse(uint32_t id) {
  WriteReset(id, Http2Error::kRefusedStream);
  return guard_.OnAnswerOwed();
}

// --- data

Http2Fault Http2Session::OnData(const Frame& frame) {
  const uint32_t id = frame.header.stream;
  if (id == 0) return Protocol("DATA without a stream");
  const std::optional<std::string_view> bytes = WithoutPadding(frame);
  if (!bytes) return Protocol("DATA with more padding than payload");
  Http2Stream* stream = Find(id);
  const Http2Fault fault = stream == nullptr ? FaultOfMissing(id) : Http2Fault{};
  if (!fault.ok()) return fault;
  TakeFromWindows(stream, frame.header);
  if (stream == nullptr) return {};
  if (stream->peer_ended_) {
    return {Http2Error::kStreamClosed, "a frame on a stream the peer had ended"};
  }
  const bool end = frame.header.Has(kFlagEndStream);
  if (!stream->reset_ && !stream->rules_.OnData(bytes->size())) {
    stream->Reset(Http2Error::kProtocol);
  }
  if (!stream->reset_ && !bytes->empty()) stream->OnData(*bytes);
  if (!end) return {};
  stream->peer_ended_ = true;
  return OnPeerEnd(*stream);
}

// What was received counts, padding too. The peer gets it back once half of a window is used, so
// that no frame can be larger than what is left of it, and there is no fault to look for.
void Http2Session::TakeFromWindows(Http2Stream* stream, const FrameHeader& header) {
  received_ += header.length;
  if (received_ >= options_.connection_window_bytes / 2) {
    WriteWindowUpdate(0, std::exchange(received_, 0));
  }
  if (stream == nullptr || stream->reset_) return;
  stream->received_ += header.length;
  if (stream->received_ >= options_.stream_window_bytes / 2 && !header.Has(kFlagEndStream)) {
    WriteWindowUpdate(stream->id_, std::exchange(stream->received_, 0));
  }
}

Http2Fault Http2Session::OnPeerEnd(Http2Stream& stream) {
  if (stream.reset_) return {};
  if (!stream.rules_.OnEnd()) {
    stream.Reset(Http2Error::kProtocol);
    return {};
  }
  stream.OnHalfClose();
  if (stream.send_finished_ && !stream.closing_) Detach(stream, Http2Error::kNone);
  return {};
}

Http2Fault Http2Session::OnResetStream(const Frame& frame) {
  const uint32_t id = frame.header.stream;
  if (id == 0) return Protocol("RST_STREAM without a stream");
  if (frame.payload.size() != sizeof(uint32_t)) return WrongSize();
  Http2Stream* stream = Find(id);
  if (stream == nullptr) {
    return IsIdle(id) ? Protocol("a frame on a stream that was never opened") : Http2Fault{};
  }
  stream->peer_ended_ = true;
  Detach(*stream, static_cast<Http2Error>(ReadUint32(frame.payload)));
  return options_.server ? guard_.OnReset(std::chrono::steady_clock::now()) : Http2Fault{};
}

// --- the connection

Http2Fault Http2Session::OnSettings(const Frame& frame) {
  if (frame.header.stream != 0) return Protocol("SETTINGS on a stream");
  if (frame.header.Has(kFlagAck)) {
    settings_acknowledged_ = true;
    return frame.payload.empty() ? Http2Fault{} : WrongSize();
  }
  if (frame.payload.size() % kSettingBytes != 0) return WrongSize();
  for (std::string_view rest = frame.payload; !rest.empty(); rest.remove_prefix(kSettingBytes)) {
    const auto id =
        static_cast<uint16_t>(static_cast<uint8_t>(rest[0]) << 8U | static_cast<uint8_t>(rest[1]));
    const Http2Fault fault = OnSetting(id, ReadUint32(rest.substr(2)));
    if (!fault.ok()) return fault;
  }
  AppendFrameHeader({.type = FrameType::kSettings, .flags = kFlagAck}, written_);
  WantWrite();
  listener_.OnSettings(!std::exchange(settings_received_, true));
  return guard_.OnAnswerOwed();
}

Http2Fault Http2Session::OnSetting(uint16_t id, uint32_t value) {
  switch (static_cast<Setting>(id)) {
    case Setting::kHeaderTableSize: encoder_.SetPeerTableBytes(value); return {};
    case Setting::kEnablePush:
      return value <= (options_.server ? 1 : 0) ? Http2Fault{} : Protocol("ENABLE_PUSH is wrong");
    case Setting::kConcurrentStreamsMax: peer_streams_max_ = value; return {};
    case Setting::kInitialWindowSize: return OnInitialWindow(value);
    case Setting::kFrameSizeMax:  // we send no larger ones than the least that can be said here
      return value >= kFramePayloadMax && value <= kFrameSizeMaxMax
                 ? Http2Fault{}
                 : Protocol("MAX_FRAME_SIZE is out of range");
    case Setting::kHeaderListSizeMax: return {};  // advice
  }
  return {};  // of an extension
}

// Changes the windows of streams that are open too, perhaps to below zero.
Http2Fault Http2Session::OnInitialWindow(uint32_t bytes) {
  constexpr Http2Fault kTooLarge = {Http2Error::kFlowControl, "a window is too large"};
  if (bytes > kWindowMax) return kTooLarge;
  const int64_t change = int64_t{bytes} - stream_send_window_;
  stream_send_window_ = bytes;
  for (const auto& [id, stream] : streams_) {
    stream->send_window_ += change;
    if (stream->send_window_ > kWindowMax) return kTooLarge;
    QueueIfSendable(*stream);
  }
  return {};
}

Http2Fault Http2Session::OnPing(const Frame& frame) {
  if (frame.header.stream != 0) return Protocol("PING on a stream");
  if (frame.payload.size() != kPingBytes) return WrongSize();
  if (!frame.header.Has(kFlagAck)) {
    WritePing(frame.payload, kFlagAck);
    return guard_.OnAnswerOwed();
  }
  listener_.OnPingAnswered();
  if (!draining_ || frame.payload != kPingOfDrain || std::exchange(go_away_sent_, true)) return {};
  WriteGoAway(last_peer_id_, Http2Error::kNone);
  return {};
}

Http2Fault Http2Session::OnGoAway(const Frame& frame) {
  if (frame.header.stream != 0) return Protocol("GOAWAY on a stream");
  if (frame.payload.size() < kGoAwayBytes) return WrongSize();
  go_away_received_ = true;
  listener_.OnGoAway(static_cast<Http2Error>(ReadUint32(frame.payload.substr(4))),
                     frame.payload.substr(kGoAwayBytes));
  if (!options_.server) CloseAbove(ReadUint32(frame.payload) & kStreamIdMax);
  return {};
}

Http2Fault Http2Session::OnWindowUpdate(const Frame& frame) {
  if (frame.payload.size() != sizeof(uint32_t)) return WrongSize();
  const uint32_t id = frame.header.stream;
  const int64_t bytes = ReadUint32(frame.payload) & kStreamIdMax;
  if (id == 0) {
    if (bytes == 0) return Protocol("WINDOW_UPDATE by nothing");
    send_window_ += bytes;
    WantWrite();
    if (send_window_ <= kWindowMax) return {};
    return {Http2Error::kFlowControl, "a window is too large"};
  }
  Http2Stream* stream = Find(id);
  if (stream == nullptr) {
    return IsIdle(id) ? Protocol("a frame on a stream that was never opened") : Http2Fault{};
  }
  stream->send_window_ += bytes;
  if (bytes == 0) {
    stream->Reset(Http2Error::kProtocol);
  } else if (stream->send_window_ > kWindowMax) {
    stream->Reset(Http2Error::kFlowControl);
  } else {
    QueueIfSendable(*stream);
  }
  return {};
}

}  // namespace troth::net
