#include "net/http2/field_kind.h"

#include <algorithm>
#include <array>

namespace troth::net {

namespace {

// RFC 9110 section 5.1, without the upper case that HTTP/2 does not have.
constexpr std::array<bool, 256> kNameBytes = [] {
  std::array<bool, 256> allowed{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")) {
    allowed[static_cast<uint8_t>(c)] = true;
  }
  return allowed;
}();

// Section 5.5: what can be seen, spaces, tabs, and bytes of other encodings.
bool MayBeInValue(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}

bool IsName(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return kNameBytes[static_cast<uint8_t>(c)]; });
}

FieldKind KindOfPseudo(std::string_view name, std::string_view value) {
  if (name == ":method") return value.empty() ? FieldKind::kMalformed : FieldKind::kMethod;
  if (name == ":scheme") return value.empty() ? FieldKind::kMalformed : FieldKind::kScheme;
  if (name == ":path") return value.empty() ? FieldKind::kMalformed : FieldKind::kPath;
  if (name == ":authority") return FieldKind::kAuthority;
  if (name == ":status") return FieldKind::kStatus;
  return FieldKind::kMalformed;
}

// What belongs to a connection and not to a message (RFC 9113 section 8.2.2).
bool IsOfConnection(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 2: return name == "te" && value != "trailers";
    case 7: return name == "upgrade";
    case 10: return name == "connection" || name == "keep-alive";
    case 16: return name == "proxy-connection";
    case 17: return name == "transfer-encoding";
    default: return false;
  }
}

}  // namespace

FieldKind KindOfField(std::string_view name, std::string_view value) {
  if (!std::ranges::all_of(value, MayBeInValue)) return FieldKind::kMalformed;
  if (name.starts_with(':')) return KindOfPseudo(name, value);
  if (!IsName(name) || IsOfConnection(name, value)) return FieldKind::kMalformed;
  return name == "content-length" ? FieldKind::kContentLength : FieldKind::kRegular;
}

}  // namespace troth::net
