#pragma once
// HTTP/2's error codes (RFC 9113 section 7), those we use.

#include <cstdint>
#include <string_view>

namespace troth::net {

enum class Http2Error : uint32_t {
  kNone = 0,
  kProtocol = 1,
  kInternal = 2,
  kFlowControl = 3,
  kStreamClosed = 5,
  kFrameSize = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompression = 9,
  kEnhanceYourCalm = 11,
  kInadequateSecurity = 12,
};

// A fault of the peer that ends the connection; the text, for people, lives for ever.
struct Http2Fault {
  Http2Error error = Http2Error::kNone;
  std::string_view text;

  bool ok() const { return error == Http2Error::kNone; }
};

}  // namespace troth::net
