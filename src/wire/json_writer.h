#pragma once
// Writes JSON text in the order it is told: clients compare dtm's answers key by key, so order
// matters here.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troth {

class TextBuffer;

// Appends `text` as a JSON string with quotes; broken UTF-8 becomes U+FFFD, so that the output is
// always valid.
void AppendJsonString(std::string& out, std::string_view text);
void AppendJsonString(TextBuffer& out, std::string_view text);

class JsonWriter {
 public:
  // `bytes`: about how long the text will be.
  explicit JsonWriter(size_t bytes = 0) { out_.reserve(bytes); }

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view text);
  JsonWriter& Int(int64_t value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // Text that is JSON already.
  JsonWriter& Raw(std::string_view json);

  JsonWriter& Field(std::string_view key, std::string_view text) { return Key(key).String(text); }
  JsonWriter& Field(std::string_view key, int64_t value) { return Key(key).Int(value); }
  // As dtm's "omitempty": nothing when it is empty or zero.
  JsonWriter& FieldIfSet(std::string_view key, std::string_view text) {
    return text.empty() ? *this : Field(key, text);
  }
  JsonWriter& FieldIfSet(std::string_view key, int64_t value) {
    return value == 0 ? *this : Field(key, value);
  }

  std::string Take() { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string out_;
  bool first_ = true;  // nothing written yet at this level, or a key just was
};

}  // namespace troth
