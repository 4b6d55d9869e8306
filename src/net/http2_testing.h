#pragma once
// HTTP/2 frames written and read by hand, for tests that play one side of a connection.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/net_testing.h"

namespace troth::net::http2 {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
};
enum Flag : uint8_t { kNoFlags = 0, kAck = 1, kEndStream = 1, kEndHeaders = 4 };

struct Frame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
};

std::string Encode(const Frame& frame);
// Big endian, as error codes and window sizes are sent.
std::string Number(uint32_t value);
// All ones when the bytes end before it.
uint32_t NumberAt(std::string_view bytes, size_t offset);

// HPACK without tables; names and values shorter than 127 bytes.
std::string HeaderBlock(
    std::initializer_list<std::pair<std::string_view, std::string_view>> headers);
// A whole unary gRPC request with an empty message.
std::string UnaryRequest(uint32_t stream, std::string_view path);
// An answer to it: OK with an empty message.
std::string UnaryAnswer(uint32_t stream);

// The next frame, or one of type 255 when the connection ends or stays silent for too long.
Frame ReadFrame(RawSocket& socket);
// The next frame of `type` that is no acknowledgement; others are passed over.
Frame ReadFrameOf(RawSocket& socket, uint8_t type);
// The client's side: preface, empty SETTINGS.
RawSocket ConnectHttp2(uint16_t port);
// The server's side of an accepted connection: reads the preface, sends SETTINGS with `settings`.
void GreetHttp2(RawSocket& socket, std::string_view settings = {});

}  // namespace troth::net::http2
