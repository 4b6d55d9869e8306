#include "bench/transport/h2_connection.h"

#include <algorithm>

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr uint16_t kHeaderTableSize = 1;
constexpr uint16_t kEnablePush = 2;
constexpr uint16_t kMaxConcurrentStreams = 3;
constexpr uint16_t kInitialWindowSize = 4;
constexpr size_t kSettingBytes = 6;

constexpr uint32_t kOurStreamWindow = 1 << 20;
constexpr uint32_t kOurWindow = 1 << 30;
constexpr size_t kHeaderBlockMax = 64 << 10;

}  // namespace

H2Connection::H2Connection(End end) : preface_left_(end == End::kServer ? kH2Preface.size() : 0) {
  if (end == End::kClient) out_ += kH2Preface;
  std::string settings;
  if (end == End::kClient) AppendH2Setting(settings, kEnablePush, 0);
  AppendH2Setting(settings, kInitialWindowSize, kOurStreamWindow);
  AppendH2Header(out_, settings.size(), H2Type::kSettings, 0, 0);
  out_ += settings;
  AppendH2WindowUpdate(out_, 0, kOurWindow - static_cast<uint32_t>(kH2InitialWindow));
}

Status H2Connection::Feed(std::string_view bytes) {
  if (preface_left_ > 0) {
    const std::string_view part = bytes.substr(0, preface_left_);
    if (kH2Preface.substr(kH2Preface.size() - preface_left_, part.size()) != part) {
      return InvalidArgument("the peer does not speak HTTP/2");
    }
    preface_left_ -= part.size();
    bytes.remove_prefix(part.size());
  }
  frames_.Feed(bytes);
  for (H2Frame frame; frames_.Next(frame);) TROTH_RETURN_IF_ERROR(Handle(frame));
  return frames_.error();
}

Status H2Connection::Handle(H2Frame& frame) {
  if (header_stream_ != 0 && frame.type != H2Type::kContinuation) {
    return InvalidArgument("another frame inside a header block");
  }
  switch (frame.type) {
    case H2Type::kData: return HandleData(frame);
    case H2Type::kHeaders:
      TROTH_RETURN_IF_ERROR(StripH2Padding(frame));
      return HandleHeaders(frame);
    case H2Type::kContinuation: return HandleContinuation(frame);
    case H2Type::kSettings: return HandleSettings(frame);
    case H2Type::kWindowUpdate: return HandleWindowUpdate(frame);
    case H2Type::kPing:
      if (frame.Has(kH2Ack)) return OkStatus();
      AppendH2Header(out_, frame.payload.size(), H2Type::kPing, kH2Ack, 0);
      out_ += frame.payload;
      return OkStatus();
    case H2Type::kRstStream:
      if (frame.payload.size() != 4) return InvalidArgument("a RST_STREAM of a wrong size");
      OnReset(frame.stream, ReadUint32(frame.payload));
      return OkStatus();
    case H2Type::kGoAway:
      if (frame.payload.size() < 8) return InvalidArgument("a GOAWAY of a wrong size");
      OnGoAway(ReadUint32(frame.payload) & 0x7fffffffU, ReadUint32(frame.payload.substr(4)));
      return OkStatus();
    case H2Type::kPushPromise: return InvalidArgument("a push, which is switched off");
    case H2Type::kPriority: return OkStatus();
  }
  return OkStatus();  // RFC 9113 section 5.5: unknown types are ignored
}

Status H2Connection::HandleHeaders(const H2Frame& frame) {
  if (frame.Has(kH2EndHeaders)) {
    return OnHeaders(frame.stream, frame.payload, frame.Has(kH2EndStream));
  }
  header_stream_ = frame.stream;
  header_end_stream_ = frame.Has(kH2EndStream);
  header_block_ = frame.payload;
  return OkStatus();
}

Status H2Connection::HandleContinuation(const H2Frame& frame) {
  if (frame.stream != header_stream_ || header_stream_ == 0) {
    return InvalidArgument("a CONTINUATION of nothing");
  }
  header_block_ += frame.payload;
  if (header_block_.size() > kHeaderBlockMax) return InvalidArgument("a header block without end");
  if (!frame.Has(kH2EndHeaders)) return OkStatus();
  header_stream_ = 0;
  return OnHeaders(frame.stream, header_block_, header_end_stream_);
}

Status H2Connection::HandleData(H2Frame& frame) {
  GiveBackWindow(frame.payload.size());
  TROTH_RETURN_IF_ERROR(StripH2Padding(frame));
  return OnData(frame.stream, frame.payload, frame.Has(kH2EndStream));
}

// Of the connection only: no message of ours is as long as the window of a stream.
void H2Connection::GiveBackWindow(size_t bytes) {
  received_ += bytes;
  if (received_ < kOurWindow / 2) return;
  AppendH2WindowUpdate(out_, 0, static_cast<uint32_t>(received_));
  received_ = 0;
}

Status H2Connection::HandleSettings(const H2Frame& frame) {
  if (frame.Has(kH2Ack)) return OkStatus();
  std::string_view rest = frame.payload;
  for (; rest.size() >= kSettingBytes; rest.remove_prefix(kSettingBytes)) {
    const uint32_t name_and_half = ReadUint32(rest);
    ApplySetting(static_cast<uint16_t>(name_and_half >> 16), ReadUint32(rest.substr(2)));
  }
  if (!rest.empty()) return InvalidArgument("SETTINGS of a wrong size");
  AppendH2Header(out_, 0, H2Type::kSettings, kH2Ack, 0);
  OnWindow();
  return OkStatus();
}

void H2Connection::ApplySetting(uint16_t name, uint32_t value) {
  if (name == kHeaderTableSize) OnHeaderTableSize(value);
  if (name == kMaxConcurrentStreams) streams_max_ = value;
  if (name == kInitialWindowSize) stream_send_window_ = value;
}

Status H2Connection::HandleWindowUpdate(const H2Frame& frame) {
  if (frame.payload.size() != 4) return InvalidArgument("a WINDOW_UPDATE of a wrong size");
  // Of a stream it changes nothing: each sends less than its first window.
  if (frame.stream != 0) return OkStatus();
  send_window_ += ReadUint32(frame.payload);
  OnWindow();
  return OkStatus();
}

void H2Connection::AppendDataHeader(uint32_t stream, size_t payload_size, bool end_stream) {
  send_window_ -= static_cast<int64_t>(payload_size);
  AppendH2Header(out_, payload_size, H2Type::kData, end_stream ? kH2EndStream : 0, stream);
}

}  // namespace troth::bench
