#pragma once
// Splits a URL the way Go's net/url does, because that is what the addresses of existing clients
// went through. Used for branch addresses and for MicroService.Target.

#include <string>
#include <string_view>

#include "base/status.h"

namespace troth {

// The pieces, each as a value of its own: percent escapes of `path`, `user` and `password` are
// decoded, the scheme is in lower case. A URL without "//" after its scheme, such as
// "localhost:2379/x", is opaque: it has a scheme and nothing else.
struct Url {
  std::string scheme;
  std::string user;
  std::string password;
  std::string host;   // "h:1", "h:1,h2:2", "[::1]:1"; may be empty
  std::string path;   // with its leading '/'
  std::string query;  // raw, without '?'
  bool opaque = false;
};

// Error: InvalidArgument, `parse "<text>": <what is wrong>`.
StatusOr<Url> ParseUrl(std::string_view text);

// Value of the query's first `key`, decoded; empty when it is not there.
std::string QueryValue(const Url& url, std::string_view key);

}  // namespace troth
