#pragma once
// Small text helpers on std::string_view.

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troth {

namespace text_internal {

// One argument of Cat: text as it is, integers in decimal. Lives only during the call.
class Piece {
 public:
  Piece(std::string_view text) : text_(text) {}    // NOLINT(google-explicit-constructor)
  Piece(const char* text) : text_(text) {}         // NOLINT(google-explicit-constructor)
  Piece(const std::string& text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  Piece(char c) : size_(1) { digits_[0] = c; }     // NOLINT(google-explicit-constructor)
  template <typename Int>
    requires(std::is_integral_v<Int> && !std::is_same_v<Int, bool> && !std::is_same_v<Int, char>)
  Piece(Int value) {  // NOLINT(google-explicit-constructor)
    const auto end = std::to_chars(digits_, digits_ + sizeof(digits_), value).ptr;
    size_ = static_cast<size_t>(end - digits_);
  }
  std::string_view view() const {
    return text_.data() != nullptr ? text_ : std::string_view(digits_, size_);
  }

 private:
  std::string_view text_;
  char digits_[24];
  size_t size_ = 0;
};

std::string Join(std::initializer_list<Piece> pieces);
void Append(std::string& out, std::initializer_list<Piece> pieces);

}  // namespace text_internal

// Cat("gid ", gid, " has ", 3, " branches").
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  return text_internal::Join({text_internal::Piece(parts)...});
}
// Appends the same to `out`.
template <typename... Parts>
void CatTo(std::string& out, const Parts&... parts) {
  text_internal::Append(out, {text_internal::Piece(parts)...});
}

std::string_view TrimSpace(std::string_view text);
std::string ToLower(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
// Every part between separators, empty ones too. The views point into `text`.
std::vector<std::string_view> Split(std::string_view text, char separator);
std::string JoinText(const std::vector<std::string>& parts, std::string_view separator);
// Whole text as a decimal integer with optional sign; nothing when there is anything else.
std::optional<int64_t> ParseInt(std::string_view text);
bool IsValidUtf8(std::string_view text);
// The same text with each byte that belongs to no valid character replaced by U+FFFD.
std::string ToValidUtf8(std::string_view text);
std::string Base64Encode(std::string_view bytes);
// Standard or URL alphabet, padding optional; nothing on bad input.
std::optional<std::string> Base64Decode(std::string_view text);
// "%41" -> "A"; a broken escape makes it nothing. '+' stays unless `plus_is_space`.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);
// Form encoding of a query value: unreserved characters stay, space becomes '+', the rest %XX.
std::string QueryEscape(std::string_view text);

}  // namespace troth
