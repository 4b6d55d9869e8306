#include <algorithm>

#include <boost/beast/http/status.hpp>

#include "base/text.h"
#include "net/http1_text_internal.h"

namespace troth::net {
namespace {

bool IsTokenCharacter(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

}  // namespace

bool IsHttpToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

bool IsHttpFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return IsControl(c) && c != '\t'; });
}

bool IsHttpTarget(std::string_view text) {
  return !text.empty() &&
         std::none_of(text.begin(), text.end(), [](char c) { return IsControl(c) || c == ' '; });
}

bool IsFramingHeader(std::string_view name) {
  return EqualsIgnoreCase(name, "Connection") || EqualsIgnoreCase(name, "Content-Length") ||
         EqualsIgnoreCase(name, "Transfer-Encoding") || EqualsIgnoreCase(name, "Trailer") ||
         EqualsIgnoreCase(name, "Upgrade") || EqualsIgnoreCase(name, "Keep-Alive");
}

bool HasListToken(std::string_view value, std::string_view token) {
  for (const std::string_view part : Split(value, ',')) {
    if (EqualsIgnoreCase(TrimSpace(part), token)) return true;
  }
  return false;
}

std::string_view ReasonPhrase(int status) {
  namespace http = boost::beast::http;
  const auto known = http::int_to_status(static_cast<unsigned>(status));
  if (known == http::status::unknown) return {};
  const auto phrase = http::obsolete_reason(known);
  return {phrase.data(), phrase.size()};
}

std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string> HttpRequest::Param(std::string_view name) const {
  for (const std::string_view pair : Split(query, '&')) {
    const size_t equals = std::min(pair.find('='), pair.size());
    if (PercentDecode(pair.substr(0, equals), /*plus_is_space=*/true) != name) continue;
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    return PercentDecode(value, /*plus_is_space=*/true);
  }
  return std::nullopt;
}

}  // namespace troth::net
