#include "net/host_port.h"

#include "base/text.h"

namespace troth::net {
namespace {

bool IsHostCharacter(char c) {
  // A space or a control character in a host would end up in request lines and logs.
  return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '/' && c != '@' && c != '[' &&
         c != ']' && c != '?' && c != '#';
}

Status CheckHost(std::string_view host, std::string_view text) {
  for (const char c : host) {
    if (!IsHostCharacter(c)) {
      return InvalidArgument(Cat("address '", text, "' has a character no host name has"));
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return InvalidArgument(Cat("address '", text, "' has no port; write host:port"));
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const auto port = ParseInt(port_text);
  if (!port || *port < 0 || *port > 65535 || port_text.front() == '+') {
    return InvalidArgument(
        Cat("address '", text, "' has no port between 0 and 65535 after the ':'"));
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return InvalidArgument(
        Cat("address '", text, "' has an IPv6 address without brackets; write [address]:port"));
  }
  TROTH_RETURN_IF_ERROR(CheckHost(host, text));
  return HostPort{std::string(host), static_cast<uint16_t>(*port)};
}

std::string FormatHostPort(std::string_view host, uint16_t port) {
  if (host.find(':') != std::string_view::npos) return Cat("[", host, "]:", port);
  return Cat(host, ":", port);
}

}  // namespace troth::net
