#pragma once
// gzip (RFC 1952), bounded: an answer of a few bytes must not become gigabytes.

#include <string>
#include <string_view>

#include "base/status.h"

namespace troth::net {

// Error: ResourceExhausted when the result would be longer than `bytes_max`, DataLoss when
// `compressed` is damaged or cut short.
StatusOr<std::string> Gunzip(std::string_view compressed, size_t bytes_max);
std::string Gzip(std::string_view plain);

}  // namespace troth::net
