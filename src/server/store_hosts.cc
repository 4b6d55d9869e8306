#include "server/store_hosts.h"

#include <netdb.h>

#include <string>

#include "base/text.h"

namespace troth {
namespace {

// "db:5432" and "[::1]:6379" without their ports; "::1" has none.
std::string_view WithoutPort(std::string_view host) {
  host = TrimSpace(host);
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  const size_t colon = host.find(':');
  return colon == host.rfind(':') ? host.substr(0, colon) : host;
}

bool IsUnknown(std::string_view host) {
  if (host.empty() || host.starts_with('/')) return false;  // the default, a folder of sockets
  const addrinfo hints = {.ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(std::string(host).c_str(), nullptr, &hints, &found);
  if (error == 0) ::freeaddrinfo(found);
  return error == EAI_NONAME || error == EAI_NODATA;
}

}  // namespace

Status CheckHostsAreKnown(std::string_view hosts) {
  for (const std::string_view host : Split(hosts, ',')) {
    if (!IsUnknown(WithoutPort(host))) return OkStatus();
  }
  return FailedPrecondition(
      Cat("no name server and no hosts file knows ", hosts, "; correct Store.Host"));
}

}  // namespace troth
