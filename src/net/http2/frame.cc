#include "net/http2/frame.h"

#include <array>

namespace troth::net {

namespace {

char Byte(uint32_t value) { return static_cast<char>(value & 0xff); }

constexpr size_t kFlagsAt = 4;

}  // namespace

void AppendUint16(uint16_t value, std::string& out) {
  out.push_back(Byte(value >> 8U));
  out.push_back(Byte(value));
}

void AppendUint32(uint32_t value, std::string& out) {
  const std::array<char, 4> bytes = {
      Byte(value >> 24), Byte(value >> 16), Byte(value >> 8), Byte(value)};
  out.append(bytes.data(), bytes.size());
}

void AppendFrameHeader(const FrameHeader& header, std::string& out) {
  const std::array<char, kFrameHeaderBytes> bytes = {Byte(header.length >> 16),
                                                     Byte(header.length >> 8),
                                                     Byte(header.length),
                                                     static_cast<char>(header.type),
                                                     static_cast<char>(header.flags),
                                                     Byte(header.stream >> 24),
                                                     Byte(header.stream >> 16),
                                                     Byte(header.stream >> 8),
                                                     Byte(header.stream)};
  out.append(bytes.data(), bytes.size());
}

void SetFrameLength(size_t at, uint32_t length, std::string& out) {
  out[at] = Byte(length >> 16);
  out[at + 1] = Byte(length >> 8);
  out[at + 2] = Byte(length);
}

void AddFrameFlag(size_t at, uint8_t flag, std::string& out) {
  out[at + kFlagsAt] = static_cast<char>(static_cast<uint8_t>(out[at + kFlagsAt]) | flag);
}

}  // namespace troth::net
