#pragma once
// Which proxy the environment asks for: HTTP_PROXY, HTTPS_PROXY, NO_PROXY (upper case first), read
// as Go's net/http does.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/host_port.h"
#include "net/http1_client.h"

namespace troth::net {

struct HttpProxy {
  HostPort address;
  std::string authorization;  // value of Proxy-Authorization; empty: none
};

class HttpProxySettings {
 public:
  // Looks a variable up; empty when it is not set.
  using Environment = std::function<std::string(const char* name)>;

  // No proxy at all.
  HttpProxySettings() = default;
  static HttpProxySettings FromEnvironment(const Environment& environment);
  static HttpProxySettings FromProcess();

  // The proxy for a URL, or none. Hosts of this machine never go through one. Error: the variable
  // that applies is not the URL of an HTTP proxy.
  StatusOr<std::optional<HttpProxy>> For(const HttpUrl& url) const;

 private:
  bool IsExempt(const HttpUrl& url) const;

  std::string http_proxy_;
  std::string https_proxy_;
  std::vector<std::string> exempt_;  // NO_PROXY's entries in lower case
};

}  // namespace troth::net
