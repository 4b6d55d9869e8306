#include "net/http2_testing.h"

#include "base/text.h"

namespace troth::net::http2 {

namespace {

constexpr size_t kHeaderBytes = 9;
constexpr uint8_t kNothing = 255;

char Byte(uint32_t value) { return static_cast<char>(value & 0xff); }

}  // namespace

std::string Number(uint32_t value) {
  return {Byte(value >> 24), Byte(value >> 16), Byte(value >> 8), Byte(value)};
}

uint32_t NumberAt(std::string_view bytes, size_t offset) {
  uint32_t value = 0;
  if (bytes.size() < offset + 4) return UINT32_MAX;
  for (const char byte : bytes.substr(offset, 4)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string Encode(const Frame& frame) {
  const std::string length = Number(static_cast<uint32_t>(frame.payload.size()));
  return Cat(length.substr(1),
             std::string{Byte(frame.type), Byte(frame.flags)},
             Number(frame.stream),
             frame.payload);
}

std::string HeaderBlock(
    std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
  std::string block;
  for (const auto& [name, value] : headers) {
    block += '\0';  // a literal, not to be indexed, with a new name
    block += Byte(static_cast<uint32_t>(name.size()));
    block += name;
    block += Byte(static_cast<uint32_t>(value.size()));
    block += value;
  }
  return block;
}

std::string UnaryRequest(uint32_t stream, std::string_view path) {
  const std::string headers = HeaderBlock({{":method", "POST"},
                                           {":scheme", "http"},
                                           {":path", path},
                                           {":authority", "test"},
                                           {"content-type", "application/grpc"},
                                           {"te", "trailers"}});
  return Encode({kHeaders, kEndHeaders, stream, headers}) +
         Encode({kData, kEndStream, stream, std::string(5, '\0')});
}

std::string UnaryAnswer(uint32_t stream) {
  const std::string headers =
      HeaderBlock({{":status", "200"}, {"content-type", "application/grpc"}});
  return Encode({kHeaders, kEndHeaders, stream, headers}) +
         Encode({kData, kNoFlags, stream, std::string(5, '\0')}) +
         Encode({kHeaders, kEndHeaders | kEndStream, stream, HeaderBlock({{"grpc-status", "0"}})});
}

Frame ReadFrame(RawSocket& socket) {
  const std::string header = socket.ReadBytes(kHeaderBytes);
  if (header.size() < kHeaderBytes) return {.type = kNothing};
  const uint32_t length = NumberAt(header, 0) >> 8;
  return {.type = static_cast<uint8_t>(header[3]),
          .flags = static_cast<uint8_t>(header[4]),
          .stream = NumberAt(header, 5),
          .payload = socket.ReadBytes(length)};
}

Frame ReadFrameOf(RawSocket& socket, uint8_t type) {
  const bool has_acks = type == kSettings || type == kPing;
  while (true) {
    Frame frame = ReadFrame(socket);
    if (frame.type == kNothing) return frame;
    if (frame.type == type && !(has_acks && (frame.flags & kAck) != 0)) return frame;
  }
}

RawSocket ConnectHttp2(uint16_t port) {
  RawSocket socket = RawSocket::Connect(port);
  socket.Send(Cat(kPreface, Encode({.type = kSettings})));
  return socket;
}

void GreetHttp2(RawSocket& socket, std::string_view settings) {
  socket.ReadBytes(kPreface.size());
  socket.Send(Encode({.type = kSettings, .payload = std::string(settings)}) +
              Encode({.type = kSettings, .flags = kAck}));
}

}  // namespace troth::net::http2
