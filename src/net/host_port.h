#pragma once
// "host:port" as people write it, shared by listeners and clients.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace troth::net {

struct HostPort {
  std::string host;  // without brackets; empty in ":port"
  uint16_t port = 0;
};

// Reads "host:port", "[v6]:port" or ":port". Error: no port, a port that is not 0-65535, an IPv6
// address without brackets, characters no host has.
StatusOr<HostPort> ParseHostPort(std::string_view text);

// The reverse: brackets around an IPv6 address.
std::string FormatHostPort(std::string_view host, uint16_t port);

}  // namespace troth::net
