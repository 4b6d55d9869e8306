// Headers of gRPC: timeouts, statuses, their messages, metadata.

#include <string>

#include "base/check.h"
#include "base/text.h"
#include "input.h"
#include "net/grpc_wire.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

void CheckTimeout(std::string_view text) {
  const auto timeout = net::ParseGrpcTimeout(text);
  if (!timeout) return;
  const auto again = net::ParseGrpcTimeout(net::FormatGrpcTimeout(*timeout));
  TROTH_CHECK(again.has_value());
  TROTH_CHECK(*again <= std::max(*timeout, Duration(1)));
}

void CheckMessage(std::string_view text) {
  net::DecodeGrpcMessage(text);
  const std::string sent = net::EncodeGrpcMessage(text);
  for (const char c : sent) TROTH_CHECK(c >= ' ' && c <= '~');
  if (IsValidUtf8(text)) TROTH_CHECK(net::DecodeGrpcMessage(sent) == text);
}

void CheckMetadata(std::string_view value) {
  net::Metadata received;
  if (!net::AddReceived("k-bin", value, received).ok()) return;
  const std::string raw(value);
  net::Metadata sent_back;
  TROTH_CHECK(net::AddReceived("k-bin", net::EncodeBinaryValue(raw), sent_back).ok());
  TROTH_CHECK(sent_back.size() == 1 && sent_back[0].second == raw);
}

}  // namespace

void FuzzGrpcHeader(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  const std::string_view text = input.rest();
  switch (choice % 4) {
    case 0: return CheckTimeout(text);
    case 1: return CheckMessage(text);
    case 2: return CheckMetadata(text);
    case 3:
      net::ParseGrpcCode(text);
      net::IsGrpcContentType(text);
      return;
  }
}

}  // namespace troth::fuzz
