#include "net/http2/frame_reader.h"

#include <algorithm>

namespace troth::net {

namespace {

// More than this is given back once the frame has been read: connections are many.
constexpr size_t kKeptBytesMax = 1024;

}  // namespace

std::optional<Frame> FrameReader::Next(std::string_view& bytes) {
  if (partial_done_) {
    partial_done_ = false;
    partial_.clear();
    if (partial_.capacity() > kKeptBytesMax) partial_ = std::string();
  }
  if (!fault_.ok() || !SkipPreface(bytes)) return std::nullopt;
  if (!partial_.empty() || bytes.size() < kFrameHeaderBytes) return NextOfPartial(bytes);
  const FrameHeader header = ReadFrameHeader(bytes);
  if (!CheckHeader(header)) return std::nullopt;
  const size_t size = kFrameHeaderBytes + header.length;
  if (bytes.size() < size) return NextOfPartial(bytes);
  const Frame frame = {header, bytes.substr(kFrameHeaderBytes, header.length)};
  bytes.remove_prefix(size);
  return frame;
}

bool FrameReader::SkipPreface(std::string_view& bytes) {
  const size_t size = std::min(preface_left_.size(), bytes.size());
  if (bytes.substr(0, size) != preface_left_.substr(0, size)) {
    return Fail(Http2Error::kProtocol, "the connection does not begin as HTTP/2 does");
  }
  preface_left_.remove_prefix(size);
  bytes.remove_prefix(size);
  return preface_left_.empty();
}

std::optional<Frame> FrameReader::NextOfPartial(std::string_view& bytes) {
  if (!FillPartial(kFrameHeaderBytes, bytes)) return std::nullopt;
  const FrameHeader header = ReadFrameHeader(partial_);
  if (!CheckHeader(header)) return std::nullopt;
  if (!FillPartial(kFrameHeaderBytes + header.length, bytes)) return std::nullopt;
  partial_done_ = true;
  return Frame{header, std::string_view(partial_).substr(kFrameHeaderBytes)};
}

bool FrameReader::FillPartial(size_t size, std::string_view& bytes) {
  if (partial_.size() < size) {
    const size_t taken = std::min(size - partial_.size(), bytes.size());
    partial_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
  }
  return partial_.size() >= size;
}

bool FrameReader::CheckHeader(const FrameHeader& header) {
  if (!settings_seen_ && (header.type != FrameType::kSettings || header.Has(kFlagAck))) {
    return Fail(Http2Error::kProtocol, "the first frame is not SETTINGS");
  }
  if (header.length > kFramePayloadMax) {
    return Fail(Http2Error::kFrameSize, "a frame is larger than we announced to take");
  }
  settings_seen_ = true;
  return true;
}

bool FrameReader::Fail(Http2Error error, std::string_view text) {
  fault_ = {error, text};
  return false;
}

}  // namespace troth::net
