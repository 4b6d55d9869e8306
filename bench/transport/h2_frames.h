#pragma once
// Frames of HTTP/2 (RFC 9113 section 4), written and read by hand: the load generator has to cost
// far less than what it measures.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace troth::bench {

enum class H2Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

constexpr uint8_t kH2EndStream = 0x1;  // DATA and HEADERS
constexpr uint8_t kH2Ack = 0x1;        // SETTINGS and PING
constexpr uint8_t kH2EndHeaders = 0x4;
constexpr uint8_t kH2Padded = 0x8;
constexpr uint8_t kH2Priority = 0x20;

constexpr size_t kH2FrameHeaderBytes = 9;
constexpr size_t kH2PayloadMax = 16384;  // neither side of ours announces more
constexpr int64_t kH2InitialWindow = 65535;
constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct H2Frame {
  H2Type type = H2Type::kData;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string_view payload;

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};

uint32_t ReadUint32(std::string_view bytes);
void AppendUint32(std::string& out, uint32_t value);
// The payload of `payload_size` bytes is the caller's to append.
void AppendH2Header(
    std::string& out, size_t payload_size, H2Type type, uint8_t flags, uint32_t stream);
void AppendH2Setting(std::string& payload, uint16_t name, uint32_t value);
void AppendH2WindowUpdate(std::string& out, uint32_t stream, uint32_t bytes);

// Takes padding and priority off a DATA or HEADERS frame. Error: they are longer than the frame.
Status StripH2Padding(H2Frame& frame);

// Cuts bytes into frames, however they arrive.
class H2FrameReader {
 public:
  // `bytes` must stay until Next has returned false.
  void Feed(std::string_view bytes);
  // The next whole frame, valid until the following Feed. False: there is none; error() tells
  // whether there never will be.
  bool Next(H2Frame& frame);
  const Status& error() const { return error_; }

 private:
  void KeepRest();

  std::string carried_;  // a frame's first part, from earlier feeds
  std::string_view rest_;
  Status error_;
};

}  // namespace troth::bench
