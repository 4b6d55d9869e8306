#include "net/http1_proxy_internal.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstdlib>

#include "base/text.h"

namespace troth::net {
namespace {

namespace ip = boost::asio::ip;

std::optional<ip::address> ReadAddress(std::string_view text) {
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return address;
}

bool IsThisMachine(std::string_view host) {
  if (host == "localhost") return true;
  const auto address = ReadAddress(host);
  return address && address->is_loopback();
}

bool NetworkContains(std::string_view network, const ip::address& address) {
  boost::system::error_code error;
  if (address.is_v4()) {
    const auto v4 = ip::make_network_v4(std::string(network), error);
    return !error &&
           v4.canonical() == ip::network_v4(address.to_v4(), v4.prefix_length()).canonical();
  }
  const auto v6 = ip::make_network_v6(std::string(network), error);
  return !error &&
         v6.canonical() == ip::network_v6(address.to_v6(), v6.prefix_length()).canonical();
}

// "example.com" stands for itself and everything below it, ".example.com" and "*.example.com" for
// what is below.
bool DomainMatches(std::string_view domain, std::string_view host) {
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  if (domain.starts_with('.')) return host.ends_with(domain) && host.size() > domain.size();
  return host == domain || host.ends_with(Cat(".", domain));
}

bool EntryMatches(std::string_view entry, const HttpUrl& url) {
  if (entry == "*") return true;
  const auto address = ReadAddress(url.host);
  if (entry.find('/') != std::string_view::npos) return address && NetworkContains(entry, *address);
  if (const auto exact = ReadAddress(entry)) return address == exact;
  if (const auto with_port = ParseHostPort(entry); with_port.ok()) {
    return with_port->port == url.port && EntryMatches(with_port->host, url);
  }
  return DomainMatches(entry, url.host);
}

}  // namespace

HttpProxySettings HttpProxySettings::FromEnvironment(const Environment& environment) {
  const auto either = [&](const char* upper, const char* lower) {
    const std::string value = environment(upper);
    return value.empty() ? environment(lower) : value;
  };
  HttpProxySettings settings;
  settings.http_proxy_ = either("HTTP_PROXY", "http_proxy");
  settings.https_proxy_ = either("HTTPS_PROXY", "https_proxy");
  const std::string exempt = either("NO_PROXY", "no_proxy");
  for (const std::string_view entry : Split(exempt, ',')) {
    if (!TrimSpace(entry).empty()) settings.exempt_.push_back(ToLower(TrimSpace(entry)));
  }
  return settings;
}

HttpProxySettings HttpProxySettings::FromProcess() {
  return FromEnvironment([](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  });
}

bool HttpProxySettings::IsExempt(const HttpUrl& url) const {
  if (IsThisMachine(url.host)) return true;
  for (const std::string& entry : exempt_) {
    if (EntryMatches(entry, url)) return true;
  }
  return false;
}

StatusOr<std::optional<HttpProxy>> HttpProxySettings::For(const HttpUrl& url) const {
  const bool https = url.scheme == "https";
  const std::string& setting = https ? https_proxy_ : http_proxy_;
  if (setting.empty() || IsExempt(url)) return std::nullopt;
  const bool has_scheme = setting.find("://") != std::string::npos;
  const auto proxy = ParseHttpUrl(has_scheme ? setting : Cat("http://", setting));
  if (!proxy.ok() || proxy->scheme != "http") {
    return InvalidArgument(
        Cat(https ? "HTTPS_PROXY" : "HTTP_PROXY",
            " is not the address of an HTTP proxy; write http://[user:password@]host:port"));
  }
  HttpProxy found{{proxy->host, proxy->port}, {}};
  if (!proxy->userinfo.empty()) found.authorization = Cat("Basic ", Base64Encode(proxy->userinfo));
  return found;
}

}  // namespace troth::net
