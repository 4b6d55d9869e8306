#pragma once
// What a field's name and value mean to HTTP/2 itself (RFC 9113 section 8). Pure functions.

#include <cstdint>
#include <string_view>

namespace troth::net {

enum class FieldKind : uint8_t {
  kRegular,  // nothing
  kMethod,
  kScheme,
  kPath,
  kAuthority,
  kStatus,
  kContentLength,
  kMalformed,  // no message may carry it
};

FieldKind KindOfField(std::string_view name, std::string_view value);

}  // namespace troth::net
