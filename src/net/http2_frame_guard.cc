#include "net/http2_frame_guard.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "net/http2_session.h"

namespace troth::net {

namespace {

uint32_t BigEndian(const uint8_t* bytes, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

size_t Http2FrameGuard::Scan(std::string_view bytes) {
  if (fault_ != Http2Error::kNone) return 0;
  for (size_t at = 0;;) {
    const size_t skipped = std::min(skip_, bytes.size() - at);
    skip_ -= skipped;
    at += skipped;
    const size_t taken = std::min(kFrameHeaderBytes - header_size_, bytes.size() - at);
    std::copy_n(bytes.data() + at, taken, header_.data() + header_size_);
    header_size_ += taken;
    if (header_size_ < kFrameHeaderBytes) return bytes.size();
    CheckFrame();
    if (fault_ != Http2Error::kNone) return at;
    at += taken;
    header_size_ = 0;
    skip_ = BigEndian(header_.data(), 3);
  }
}

void Http2FrameGuard::CheckFrame() {
  const uint32_t length = BigEndian(header_.data(), 3);
  const uint8_t type = header_[3];
  const bool end = (header_[4] & NGHTTP2_FLAG_END_STREAM) != 0;
  const uint32_t stream = BigEndian(header_.data() + 5, 4) & INT32_MAX;
  const bool on_stream = type == NGHTTP2_HEADERS || type == NGHTTP2_DATA;
  const bool useful = on_stream && (type == NGHTTP2_HEADERS || length > 0);
  control_frames_ = useful ? 0 : control_frames_ + 1;
  if (control_frames_ > kControlFramesMax) {
    return Fail(Http2Error::kEnhanceYourCalm, "too many control frames without a request");
  }
  // nghttp2 sees to frames on stream 0 and to streams that were never opened.
  if (!server_ || stream == 0) return;
  if (on_stream) CheckStream(type, stream);
  const bool ends = (on_stream && end) || type == NGHTTP2_RST_STREAM;
  if (ends) ended_[ended_next_++ % kEndedStreamsMax] = stream;
}

void Http2FrameGuard::CheckStream(uint8_t type, uint32_t stream) {
  if (stream > last_opened_) {
    if (type == NGHTTP2_HEADERS) Open(stream);
  } else if (stream >= passed_over_from_ && stream <= passed_over_to_) {
    Fail(Http2Error::kProtocol, "a stream id that was passed over is used");
  } else if (std::ranges::find(ended_, stream) != ended_.end()) {
    Fail(Http2Error::kStreamClosed, "a frame on a stream the peer had ended");
  }
}

void Http2FrameGuard::Open(uint32_t stream) {
  if (stream > last_opened_ + 2) {
    passed_over_from_ = last_opened_ + 1;
    passed_over_to_ = stream - 1;
  }
  last_opened_ = stream;
}

void Http2FrameGuard::Fail(Http2Error error, std::string_view text) {
  fault_ = error;
  fault_text_ = text;
}

}  // namespace troth::net
