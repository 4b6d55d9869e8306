#include "bench/transport/http1_message.h"

#include <algorithm>

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr size_t kHeadBytesMax = 64 << 10;

// What the lines of a head say of the body's length.
StatusOr<size_t> BodyBytes(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = TrimSpace(line.substr(colon + 1));
    if (EqualsIgnoreCase(name, "content-length")) {
      const std::optional<int64_t> bytes = ParseInt(value);
      if (!bytes || *bytes < 0) return InvalidArgument(Cat("Content-Length: ", value));
      return static_cast<size_t>(*bytes);
    }
    if (EqualsIgnoreCase(name, "transfer-encoding")) {
      return InvalidArgument(Cat("Transfer-Encoding: ", value, " is not read here"));
    }
  }
  return 0;
}

}  // namespace

void Http1Reader::Feed(std::string_view bytes) {
  if (carried_.empty()) {
    rest_ = bytes;
  } else {
    carried_ += bytes;
    rest_ = carried_;
  }
}

bool Http1Reader::Next(Http1Message& message) {
  const size_t head_end = rest_.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    if (rest_.size() > kHeadBytesMax) error_ = InvalidArgument("a message head without end");
    KeepRest();
    return false;
  }
  const size_t line_end = rest_.find("\r\n");
  const StatusOr<size_t> body_bytes = BodyBytes(rest_.substr(line_end, head_end - line_end));
  if (!body_bytes.ok()) {
    error_ = body_bytes.status();
    return false;
  }
  const size_t body_at = head_end + 4;
  if (rest_.size() < body_at + *body_bytes) {
    KeepRest();
    return false;
  }
  message = {.start_line = rest_.substr(0, line_end), .body = rest_.substr(body_at, *body_bytes)};
  rest_.remove_prefix(body_at + *body_bytes);
  return true;
}

void Http1Reader::KeepRest() {
  if (carried_.empty()) {
    carried_ = rest_;
  } else {
    carried_.erase(0, carried_.size() - rest_.size());
  }
  rest_ = {};
}

std::string_view SecondWord(std::string_view start_line) {
  const size_t space = start_line.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view rest = start_line.substr(space + 1);
  return rest.substr(0, rest.find(' '));
}

}  // namespace troth::bench
