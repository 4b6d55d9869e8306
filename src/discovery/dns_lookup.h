#pragma once
// The addresses of a host name, and how long they are good for, which the system's own functions do
// not tell: first the hosts file, then DNS as /etc/resolv.conf says, last whatever else the system
// knows.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "net/host_port.h"

namespace troth {

struct DnsAnswer {
  std::vector<std::string> addresses;  // "10.0.0.1", "fd00::2"; not sorted, at least one
  std::optional<Duration> ttl;         // nothing: who answered does not say
};

// Where to look; tests have places of their own.
struct DnsSource {
  std::string hosts_file = "/etc/hosts";
  std::optional<net::HostPort> server = std::nullopt;  // an IPv4 address; nothing: resolv.conf's
};

// Blocks, with slow servers for some seconds. Any thread. Unavailable, with the name and the
// reason, when there is no answer or no address.
StatusOr<DnsAnswer> LookUpName(const std::string& host, const DnsSource& source);

// The addresses a hosts file (hosts(5)) has for a name.
std::vector<std::string> AddressesInHosts(std::string_view hosts, std::string_view name);

}  // namespace troth
