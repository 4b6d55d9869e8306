#include "bench/transport/h2_frames.h"

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr size_t kPriorityBytes = 5;

uint8_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

}  // namespace

uint32_t ReadUint32(std::string_view bytes) {
  return static_cast<uint32_t>(Byte(bytes, 0)) << 24 | static_cast<uint32_t>(Byte(bytes, 1)) << 16 |
         static_cast<uint32_t>(Byte(bytes, 2)) << 8 | Byte(bytes, 3);
}

void AppendUint32(std::string& out, uint32_t value) {
  const char bytes[4] = {static_cast<char>(value >> 24),
                         static_cast<char>(value >> 16),
                         static_cast<char>(value >> 8),
                         static_cast<char>(value)};
  out.append(bytes, sizeof(bytes));
}

void AppendH2Header(
    std::string& out, size_t payload_size, H2Type type, uint8_t flags, uint32_t stream) {
  const char header[kH2FrameHeaderBytes] = {static_cast<char>(payload_size >> 16),
                                            static_cast<char>(payload_size >> 8),
                                            static_cast<char>(payload_size),
                                            static_cast<char>(type),
                                            static_cast<char>(flags),
                                            static_cast<char>(stream >> 24),
                                            static_cast<char>(stream >> 16),
                                            static_cast<char>(stream >> 8),
                                            static_cast<char>(stream)};
  out.append(header, sizeof(header));
}

void AppendH2Setting(std::string& payload, uint16_t name, uint32_t value) {
  payload += static_cast<char>(name >> 8);
  payload += static_cast<char>(name);
  AppendUint32(payload, value);
}

void AppendH2WindowUpdate(std::string& out, uint32_t stream, uint32_t bytes) {
  AppendH2Header(out, 4, H2Type::kWindowUpdate, 0, stream);
  AppendUint32(out, bytes);
}

Status StripH2Padding(H2Frame& frame) {
  size_t padding = 0;
  if (frame.Has(kH2Padded)) {
    if (frame.payload.empty()) return InvalidArgument("a padded frame without its padding");
    padding = Byte(frame.payload, 0);
    frame.payload.remove_prefix(1);
  }
  const bool priority = frame.type == H2Type::kHeaders && frame.Has(kH2Priority);
  const size_t prefix = priority ? kPriorityBytes : 0;
  if (frame.payload.size() < prefix + padding) {
    return InvalidArgument("a frame shorter than its padding");
  }
  frame.payload.remove_prefix(prefix);
  frame.payload.remove_suffix(padding);
  return OkStatus();
}

void H2FrameReader::Feed(std::string_view bytes) {
  if (carried_.empty()) {
    rest_ = bytes;
  } else {
    carried_ += bytes;
    rest_ = carried_;
  }
}

bool H2FrameReader::Next(H2Frame& frame) {
  if (rest_.size() >= kH2FrameHeaderBytes) {
    const size_t size = ReadUint32(rest_) >> 8;
    if (size > kH2PayloadMax) {
      error_ = InvalidArgument(Cat("a frame of ", size, " bytes; ", kH2PayloadMax, " are allowed"));
      return false;
    }
    if (rest_.size() >= kH2FrameHeaderBytes + size) {
      frame = {.type = static_cast<H2Type>(rest_[3]),
               .flags = Byte(rest_, 4),
               .stream = ReadUint32(rest_.substr(5)) & 0x7fffffffU,
               .payload = rest_.substr(kH2FrameHeaderBytes, size)};
      rest_.remove_prefix(kH2FrameHeaderBytes + size);
      return true;
    }
  }
  KeepRest();
  return false;
}

void H2FrameReader::KeepRest() {
  if (carried_.empty()) {
    carried_ = rest_;
  } else {
    carried_.erase(0, carried_.size() - rest_.size());
  }
  rest_ = {};
}

}  // namespace troth::bench
