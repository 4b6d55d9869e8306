#include "wire/json_writer.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "base/text_buffer.h"

namespace troth {
namespace {

// Length of the valid UTF-8 sequence at `text`, 0 when there is none.
size_t Utf8SequenceLength(std::string_view text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (IsValidUtf8(text.substr(0, length))) return length;
  }
  return 0;
}

// Stands in a JSON string as it is, alone.
bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// How many bytes at the front are plain. Looks at eight at once: in `special`, the highest bit of a
// byte is set when it is below 0x20, a quote, a backslash or above 0x7f, and perhaps in those after
// it.
size_t PlainLength(std::string_view text) {
  constexpr uint64_t kEach = 0x0101010101010101;
  size_t length = 0;
  for (; length + sizeof(uint64_t) <= text.size(); length += sizeof(uint64_t)) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + length, sizeof(bytes));
    const uint64_t special = (bytes - kEach * 0x20) | ((bytes ^ (kEach * '"')) - kEach) |
                             ((bytes ^ (kEach * '\\')) - kEach) | bytes;
    if ((special & (kEach * 0x80)) != 0) break;
  }
  while (length < text.size() && IsPlain(text[length])) ++length;
  return length;
}

// Both kinds of text take pieces.
void Put(std::string& out, std::string_view piece) { out += piece; }
void Put(TextBuffer& out, std::string_view piece) { out.Append(piece); }

template <typename Text>
void AppendEscaped(Text& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"': return Put(out, "\\\"");
    case '\\': return Put(out, "\\\\");
    case '\n': return Put(out, "\\n");
    case '\r': return Put(out, "\\r");
    case '\t': return Put(out, "\\t");
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  const char code[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
  Put(out, {code, sizeof(code)});
}

template <typename Text>
void AppendString(Text& out, std::string_view text) {
  Put(out, "\"");
  while (true) {
    // Most texts need nothing and go in whole.
    const size_t plain = PlainLength(text);
    Put(out, text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    size_t taken = 1;
    if (static_cast<unsigned char>(c) >= 0x80) {
      taken = Utf8SequenceLength(text);
      Put(out, taken == 0 ? "\xEF\xBF\xBD" : text.substr(0, taken));
      if (taken == 0) taken = 1;
    } else {
      AppendEscaped(out, c);
    }
    text.remove_prefix(taken);
  }
  Put(out, "\"");
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) { AppendString(out, text); }
void AppendJsonString(TextBuffer& out, std::string_view text) { AppendString(out, text); }

void JsonWriter::Separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  AppendJsonString(out_, key);
  out_ += ':';
  first_ = true;  // the value follows without a comma
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendJsonString(out_, text);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  Separate();
  CatTo(out_, value);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) { return Raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::Null() { return Raw("null"); }

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
  return *this;
}

}  // namespace troth
