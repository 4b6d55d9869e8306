#include <algorithm>
#include <vector>

#include "base/text.h"
#include "net/host_port.h"
#include "net/http1_client.h"
#include "net/http1_url_internal.h"

namespace troth::net {
namespace {

uint16_t DefaultPort(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

// Percent-encodes what must not stand in a request line. What is encoded already stays.
std::string EncodeTarget(std::string_view target) {
  constexpr std::string_view kUnsafe = " \"<>\\^`{|}";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && kUnsafe.find(c) == std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

// "/a/./b/../c" -> "/a/c" (RFC 3986 5.2.4). `path` starts with '/'.
std::string RemoveDotSegments(std::string_view path) {
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> segments = Split(path.substr(1), '/');
  for (size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segments[i] != ".") {
      kept.push_back(segments[i]);
      continue;
    }
    if (last) kept.emplace_back();  // "/a/.." is a directory: "/"
  }
  std::string joined;
  for (const std::string_view segment : kept) CatTo(joined, "/", segment);
  return joined.empty() ? "/" : joined;
}

Status ReadAuthority(std::string_view authority, std::string_view url, HttpUrl& parsed) {
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const auto userinfo = PercentDecode(authority.substr(0, at));
    if (!userinfo) return InvalidArgument(Cat("URL '", url, "' has a broken user name"));
    parsed.userinfo = *userinfo;
    authority.remove_prefix(at + 1);
  }
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  if (has_port && colon + 1 == authority.size())
    authority.remove_suffix(1);  // "host:" means the default
  const bool port_given = has_port && colon < authority.size();
  const std::string with_port =
      port_given ? std::string(authority) : Cat(authority, ":", DefaultPort(parsed.scheme));
  const auto at = ParseHostPort(with_port);
  if (!at.ok() || at->host.empty() || at->port == 0) {
    return InvalidArgument(Cat("URL '", url, "' has no usable host and port"));
  }
  parsed.host = ToLower(at->host);
  parsed.port = at->port;
  return OkStatus();
}

}  // namespace

StatusOr<HttpUrl> ParseHttpUrl(std::string_view url) {
  if (std::any_of(url.begin(), url.end(), IsControl)) {
    return InvalidArgument("a URL has a control character in it");
  }
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) {
    return InvalidArgument(Cat("URL '", url, "' does not start with http:// or https://"));
  }
  HttpUrl parsed;
  parsed.scheme = ToLower(url.substr(0, scheme_end));
  if (parsed.scheme != "http" && parsed.scheme != "https") {
    return InvalidArgument(Cat("URL '", url, "' does not start with http:// or https://"));
  }
  std::string_view rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  TROTH_RETURN_IF_ERROR(ReadAuthority(rest.substr(0, authority_end), url, parsed));
  parsed.target = EncodeTarget(rest.substr(authority_end));
  if (!parsed.target.starts_with('/')) parsed.target.insert(0, "/");
  return parsed;
}

std::string HostHeader(const HttpUrl& url) {
  if (url.port != DefaultPort(url.scheme)) return FormatHostPort(url.host, url.port);
  return url.host.find(':') != std::string::npos ? Cat("[", url.host, "]") : url.host;
}

std::string AbsoluteUrl(const HttpUrl& url) {
  return Cat(url.scheme, "://", HostHeader(url), url.target);
}

StatusOr<HttpUrl> ResolveLocation(const HttpUrl& base, std::string_view location) {
  location = location.substr(0, location.find('#'));
  const size_t scheme_end = location.find("://");
  const size_t path_start = location.find_first_of("/?");
  if (scheme_end != std::string_view::npos && scheme_end < path_start)
    return ParseHttpUrl(location);
  if (location.starts_with("//")) return ParseHttpUrl(Cat(base.scheme, ":", location));
  const std::string origin = Cat(base.scheme, "://", HostHeader(base));
  const std::string_view base_path = std::string_view(base.target).substr(0, base.target.find('?'));
  if (location.empty()) return ParseHttpUrl(Cat(origin, base.target));
  if (location.starts_with('?')) return ParseHttpUrl(Cat(origin, base_path, location));
  const size_t question = std::min(location.find('?'), location.size());
  const std::string_view directory = base_path.substr(0, base_path.rfind('/') + 1);
  const std::string path = location.starts_with('/') ? std::string(location.substr(0, question))
                                                     : Cat(directory, location.substr(0, question));
  return ParseHttpUrl(Cat(origin, RemoveDotSegments(path), location.substr(question)));
}

}  // namespace troth::net
