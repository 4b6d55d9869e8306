#pragma once
// What the HTTP client does with URLs beyond reading them.

#include <string>
#include <string_view>

#include "net/http1_client.h"

namespace troth::net {

// "host", or "host:port" when the port is not the scheme's own: what the Host header says.
std::string HostHeader(const HttpUrl& url);
// "http://host[:port]/path?query", without userinfo.
std::string AbsoluteUrl(const HttpUrl& url);

// Where a Location header leads from `base` (RFC 3986 5.2). Error: as ParseHttpUrl.
StatusOr<HttpUrl> ResolveLocation(const HttpUrl& base, std::string_view location);

}  // namespace troth::net
