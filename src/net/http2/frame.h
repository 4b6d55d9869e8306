#pragma once
// HTTP/2 frames (RFC 9113 section 4 and 6): their header of nine bytes, their types and flags.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troth::net {

enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kResetStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

inline constexpr uint8_t kFlagAck = 0x1;
inline constexpr uint8_t kFlagEndStream = 0x1;
inline constexpr uint8_t kFlagEndHeaders = 0x4;
inline constexpr uint8_t kFlagPadded = 0x8;
inline constexpr uint8_t kFlagPriority = 0x20;

enum class Setting : uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kConcurrentStreamsMax = 3,
  kInitialWindowSize = 4,
  kFrameSizeMax = 5,
  kHeaderListSizeMax = 6,
};

inline constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr size_t kFrameHeaderBytes = 9;
// The payload every peer must take, and the most we take and send.
inline constexpr uint32_t kFramePayloadMax = 16 << 10;
inline constexpr uint32_t kStreamIdMax = INT32_MAX;
inline constexpr int64_t kWindowMax = INT32_MAX;
inline constexpr uint32_t kInitialWindow = 65535;

struct FrameHeader {
  uint32_t length = 0;  // of the payload
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  uint32_t stream = 0;

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};

// What arrived of one; `payload` belongs to whoever read it.
struct Frame {
  FrameHeader header;
  std::string_view payload;
};

// Reads a number in network order; at least its size in bytes must be there.
inline uint32_t ReadUint32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// At least kFrameHeaderBytes.
inline FrameHeader ReadFrameHeader(std::string_view bytes) {
  return {.length = ReadUint32(bytes) >> 8,
          .type = static_cast<FrameType>(bytes[3]),
          .flags = static_cast<uint8_t>(bytes[4]),
          .stream = ReadUint32(bytes.substr(5)) & kStreamIdMax};
}

void AppendUint16(uint16_t value, std::string& out);
void AppendUint32(uint32_t value, std::string& out);
void AppendFrameHeader(const FrameHeader& header, std::string& out);
// A frame in `out` whose payload has grown: its header begins at `at`.
void SetFrameLength(size_t at, uint32_t length, std::string& out);
void AddFrameFlag(size_t at, uint8_t flag, std::string& out);

}  // namespace troth::net
