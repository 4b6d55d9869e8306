#include "discovery/go_json.h"

#include <algorithm>

#include "base/text.h"

namespace troth {
namespace {

void AppendEscaped(std::string& out, unsigned char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  CatTo(out, "\\u00", kHex[c >> 4], kHex[c & 15]);
}

}  // namespace

void AppendGoString(std::string& out, std::string_view raw) {
  // Go writes these two as escapes because JavaScript takes them for line ends.
  constexpr std::string_view kLineSeparator = "\u2028";
  constexpr std::string_view kParagraphSeparator = "\u2029";
  const std::string text = ToValidUtf8(raw);
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    const char c = text[i];
    if (rest.starts_with(kLineSeparator) || rest.starts_with(kParagraphSeparator)) {
      out += rest.starts_with(kLineSeparator) ? "\\u2028" : "\\u2029";
      i += kLineSeparator.size() - 1;
    } else if (c == '"' || c == '\\') {
      CatTo(out, '\\', c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      CatTo(out, '\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&') {
      AppendEscaped(out, static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendGoMap(std::string& out, std::vector<std::pair<std::string, std::string>> members) {
  std::sort(members.begin(), members.end());
  out += '{';
  for (const auto& [key, value] : members) {
    if (out.back() != '{') out += ',';
    AppendGoString(out, key);
    out += ':';
    AppendGoString(out, value);
  }
  out += '}';
}

}  // namespace troth
