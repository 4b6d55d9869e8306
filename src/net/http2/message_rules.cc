#include "net/http2/message_rules.h"

#include <algorithm>
#include <charconv>

namespace troth::net {

namespace {

constexpr uint8_t Bit(FieldKind kind) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
}

constexpr uint8_t kOfRequests = Bit(FieldKind::kMethod) | Bit(FieldKind::kScheme) |
                                Bit(FieldKind::kPath) | Bit(FieldKind::kAuthority);
constexpr uint8_t kRequiredOfRequests =
    Bit(FieldKind::kMethod) | Bit(FieldKind::kScheme) | Bit(FieldKind::kPath);
constexpr uint8_t kOfAnswers = Bit(FieldKind::kStatus);

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool MessageRules::OnField(FieldKind kind, std::string_view value) {
  switch (kind) {
    case FieldKind::kMalformed: return false;
    case FieldKind::kRegular: break;
    case FieldKind::kContentLength:
      if (!headers_done_ && !OnContentLength(value)) return false;
      break;
    default: return OnPseudo(kind, value);
  }
  regular_seen_ = true;
  return true;
}

bool MessageRules::OnPseudo(FieldKind kind, std::string_view value) {
  const uint8_t allowed = message_ == Message::kRequest ? kOfRequests : kOfAnswers;
  const uint8_t bit = Bit(kind);
  if (headers_done_ || regular_seen_ || (bit & allowed) == 0 || (bit & pseudo_seen_) != 0) {
    return false;
  }
  pseudo_seen_ |= bit;
  if (kind != FieldKind::kStatus) return true;
  // HTTP/2 has no 101.
  if (value.size() != 3 || !std::ranges::all_of(value, IsDigit) || value == "101") return false;
  informational_ = value.front() == '1';
  return true;
}

bool MessageRules::OnContentLength(std::string_view value) {
  const char* end = value.data() + value.size();
  int64_t bytes = 0;
  const auto [parsed, error] = std::from_chars(value.data(), end, bytes);
  if (error != std::errc() || parsed != end || bytes < 0) return false;
  if (announced_bytes_ != kNotSaid && announced_bytes_ != bytes) return false;
  announced_bytes_ = bytes;
  return true;
}

bool MessageRules::OnBlockEnd(bool end_stream) {
  if (headers_done_) return end_stream;  // only trailers can follow, and nothing follows them
  const uint8_t required = message_ == Message::kRequest ? kRequiredOfRequests : kOfAnswers;
  if ((pseudo_seen_ & required) != required) return false;
  if (!informational_) {
    headers_done_ = true;
    return true;
  }
  if (end_stream) return false;
  *this = MessageRules(message_);  // the real answer comes yet
  return true;
}

bool MessageRules::OnData(size_t bytes) {
  data_bytes_ += static_cast<int64_t>(bytes);
  return headers_done_ && (announced_bytes_ == kNotSaid || data_bytes_ <= announced_bytes_);
}

bool MessageRules::OnEnd() const {
  return headers_done_ && (announced_bytes_ == kNotSaid || data_bytes_ == announced_bytes_);
}

}  // namespace troth::net
