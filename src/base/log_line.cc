#include <algorithm>
#include <cstdlib>

#include "base/log_line_internal.h"
#include "base/text.h"

namespace troth::log_internal {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
  }
  std::abort();  // not one of the values: memory is corrupt
}

// Milliseconds and an offset without colon, as dtm's log has them: 2026-01-02T03:04:05.678+0800.
std::string Timestamp(const LogLine& line) {
  static constexpr size_t kToSeconds = std::string_view("2026-01-02T03:04:05").size();
  const auto second = std::chrono::floor<std::chrono::seconds>(line.time);
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(line.time - second).count();
  std::string stamp = FormatTime(second, line.utc_offset);
  std::string offset = stamp.substr(kToSeconds);
  std::erase(offset, ':');
  stamp.resize(kToSeconds);
  CatTo(stamp, '.', millis / 100, millis / 10 % 10, millis % 10, offset);
  return stamp;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void AppendEscaped(std::string& out, char c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: CatTo(out, "\\u00", kHex[byte >> 4], kHex[byte & 0xf]);
  }
}

// A JSON string. Text lines use the same form where a value needs quotes.
void AppendQuoted(std::string& out, std::string_view text) {
  std::string valid;
  if (!IsValidUtf8(text)) text = valid = ToValidUtf8(text);
  out += '"';
  for (const char c : text) {
    if (IsControl(c)) {
      AppendEscaped(out, c);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

bool IsPlainValue(std::string_view text) {
  const auto is_odd = [](char c) { return c == ' ' || c == '"' || c == '=' || IsControl(c); };
  return !text.empty() && std::none_of(text.begin(), text.end(), is_odd) && IsValidUtf8(text);
}

bool IsPlainEvent(std::string_view text) {
  return std::none_of(text.begin(), text.end(), IsControl) && IsValidUtf8(text);
}

}  // namespace

std::string TextLine(const LogLine& line) {
  static constexpr size_t kLevelWidth = 5;
  const std::string_view level = LevelName(line.level);
  std::string out = Cat(Timestamp(line), ' ', level);
  out.append(kLevelWidth - level.size() + 1, ' ');
  if (IsPlainEvent(line.event)) {
    out += line.event;
  } else {
    AppendQuoted(out, line.event);
  }
  for (const LogField& field : line.fields) {
    CatTo(out, ' ', field.name(), '=');
    if (field.is_number()) {
      CatTo(out, field.number());
    } else if (IsPlainValue(field.text())) {
      out += field.text();
    } else {
      AppendQuoted(out, field.text());
    }
  }
  return out;
}

std::string JsonLine(const LogLine& line) {
  std::string out =
      Cat(R"({"level":")", LevelName(line.level), R"(","ts":")", Timestamp(line), R"(","msg":)");
  AppendQuoted(out, line.event);
  for (const LogField& field : line.fields) {
    out += ',';
    AppendQuoted(out, field.name());
    out += ':';
    if (field.is_number()) {
      CatTo(out, field.number());
    } else {
      AppendQuoted(out, field.text());
    }
  }
  out += '}';
  return out;
}

}  // namespace troth::log_internal
