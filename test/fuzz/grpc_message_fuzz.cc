// The stream of bytes inside a gRPC call: however it is cut, the same messages come out.

#include <string>
#include <vector>

#include "base/check.h"
#include "input.h"
#include "net/grpc_message_reader.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

using net::MessageReader;

constexpr uint32_t kMessageBytesMax = 4096;

struct Read {
  std::vector<std::string> messages;
  bool failed = false;
  bool operator==(const Read&) const = default;
};

Read ReadAll(std::string_view bytes, bool gzip, size_t piece) {
  MessageReader reader(kMessageBytesMax);
  if (gzip) reader.SetEncoding("gzip");
  Read read;
  InPieces(bytes, piece, [&](std::string_view part) {
    while (!read.failed) {
      std::string message;
      const MessageReader::Result result = reader.Next(part, message);
      TROTH_CHECK(reader.buffered() <= kMessageBytesMax);
      read.failed = result == MessageReader::Result::kError;
      if (result != MessageReader::Result::kMessage) break;
      TROTH_CHECK(message.size() <= kMessageBytesMax);
      read.messages.push_back(std::move(message));
    }
  });
  TROTH_CHECK(read.failed == !reader.error().ok());
  return read;
}

}  // namespace

void FuzzGrpcMessage(std::string_view bytes) {
  Input input(bytes);
  const bool gzip = (input.Byte() & 1) != 0;
  const size_t piece = input.Byte();
  TROTH_CHECK(ReadAll(input.rest(), gzip, 0) == ReadAll(input.rest(), gzip, piece));
}

}  // namespace troth::fuzz
