#include "discovery/url.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"

namespace troth {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool AllDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), IsDigit); }

bool IsSchemeChar(char c, bool first) {
  return IsLetter(c) || (!first && (IsDigit(c) || c == '+' || c == '-' || c == '.'));
}

bool IsUserInfoChar(char c) {
  constexpr std::string_view kMarks = "-._:~!$&'()*+,;=%@";
  return IsLetter(c) || IsDigit(c) || kMarks.find(c) != kMarks.npos;
}

// A host list is kept as it is written, so escapes have no place in it.
bool IsHostChar(char c) {
  constexpr std::string_view kNever = " \"<>\\^`{|}%/?#@";
  return !IsControl(c) && kNever.find(c) == kNever.npos;
}

// Cuts `rest` at the first `mark` and returns what follows it.
std::string_view CutAt(std::string_view& rest, char mark) {
  const size_t at = rest.find(mark);
  if (at == rest.npos) return {};
  const std::string_view tail = rest.substr(at + 1);
  rest = rest.substr(0, at);
  return tail;
}

// The reason it is not a URL, or nothing. Each step takes its part off the front of `rest`.
using Problem = std::optional<std::string>;

Problem TakeScheme(std::string_view& rest, Url& url) {
  size_t end = 0;
  while (end < rest.size() && IsSchemeChar(rest[end], end == 0)) ++end;
  if (end == rest.size() || rest[end] != ':') return {};  // no scheme: a bare path
  if (end == 0) return "missing protocol scheme";
  url.scheme = ToLower(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return {};
}

Problem SetUser(std::string_view text, Url& url) {
  if (!std::all_of(text.begin(), text.end(), IsUserInfoChar)) return "invalid userinfo";
  const std::string_view password = CutAt(text, ':');
  auto user = PercentDecode(text);
  auto secret = PercentDecode(password);
  if (!user || !secret) return "invalid URL escape in userinfo";
  url.user = *std::move(user);
  url.password = *std::move(secret);
  return {};
}

Problem SetHost(std::string_view host, Url& url) {
  for (char c : host) {
    if (!IsHostChar(c)) return Cat("invalid character \"", c, "\" in host name");
  }
  const size_t bracket = host.rfind(']');
  if (host.starts_with('[') && bracket == host.npos) return "missing ']' in host";
  const size_t colon = host.find_last_of(':');
  const bool has_port = colon != host.npos && (bracket == host.npos || colon > bracket);
  if (has_port && !AllDigits(host.substr(colon + 1))) {
    return Cat("invalid port \"", host.substr(colon), "\" after host");
  }
  url.host = std::string(host);
  return {};
}

Problem TakeAuthority(std::string_view& rest, Url& url) {
  rest.remove_prefix(2);  // "//"
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view host = rest.substr(0, slash);
  rest.remove_prefix(slash);
  if (const size_t at = host.rfind('@'); at != host.npos) {
    if (Problem problem = SetUser(host.substr(0, at), url)) return problem;
    host.remove_prefix(at + 1);
  }
  return SetHost(host, url);
}

Problem Fill(std::string_view rest, Url& url) {
  if (std::any_of(rest.begin(), rest.end(), IsControl)) return "invalid control character in URL";
  CutAt(rest, '#');
  if (Problem problem = TakeScheme(rest, url)) return problem;
  url.query = std::string(CutAt(rest, '?'));
  if (!rest.starts_with('/')) {
    if (!url.scheme.empty()) {
      url.opaque = true;
      return {};
    }
    if (rest.substr(0, rest.find('/')).find(':') != rest.npos) {
      return "first path segment in URL cannot contain colon";
    }
  }
  // Without a scheme "///x" is a path, with one it is an empty host.
  if (rest.starts_with("//") && (!url.scheme.empty() || !rest.starts_with("///"))) {
    if (Problem problem = TakeAuthority(rest, url)) return problem;
  }
  auto path = PercentDecode(rest);
  if (!path) return "invalid URL escape";
  url.path = *std::move(path);
  return {};
}

}  // namespace

StatusOr<Url> ParseUrl(std::string_view text) {
  Url url;
  if (const Problem problem = Fill(text, url)) {
    return InvalidArgument(Cat("parse \"", ToValidUtf8(text), "\": ", *problem));
  }
  return url;
}

std::string QueryValue(const Url& url, std::string_view key) {
  for (std::string_view pair : Split(url.query, '&')) {
    const std::string_view value = CutAt(pair, '=');
    if (PercentDecode(pair, true) == key) return PercentDecode(value, true).value_or("");
  }
  return {};
}

}  // namespace troth
