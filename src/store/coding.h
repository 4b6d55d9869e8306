#pragma once
// Compact bytes: little-endian varints, zigzag for signed numbers, text behind its length. Private
// to this folder. Writing appends to a string the caller has reserved; reading trusts nothing.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troth::coding {

inline void PutByte(std::string& out, uint8_t value) { out.push_back(static_cast<char>(value)); }

inline void PutVarint(std::string& out, uint64_t value) {
  if (value < 0x80) return PutByte(out, static_cast<uint8_t>(value));  // most are that small
  char bytes[10];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

// Small numbers of either sign take few bytes.
inline void PutSigned(std::string& out, int64_t value) {
  PutVarint(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

inline void PutText(std::string& out, std::string_view text) {
  PutVarint(out, text.size());
  out.append(text);
}

// The most bytes PutVarint and PutSigned take.
inline constexpr size_t kVarintBytesMax = 10;

// Reads what the functions above wrote. Past the first damage everything reads as zero or empty and
// ok() is false, so callers check once at the end. Views point into the bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  // Everything was understood and nothing is left.
  bool Finished() const { return ok_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

  uint8_t Byte() {
    if (rest_.empty()) return Fail();
    const auto value = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  uint64_t Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint64_t byte = Byte();
      if (shift == 63 && byte > 1) return Fail();  // does not fit 64 bits
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return ok_ ? value : 0;
    }
    return Fail();
  }

  int64_t Signed() {
    const uint64_t value = Varint();
    return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }

  std::string_view Text() {
    const uint64_t size = Varint();
    if (size > rest_.size()) return Fail(), std::string_view();
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  // How many things follow, each of at least `bytes_each_min` bytes: damaged bytes cannot ask for
  // more memory than they have themselves.
  size_t Count(size_t bytes_each_min) {
    const uint64_t count = Varint();
    if (count > rest_.size() / bytes_each_min) return Fail();
    return count;
  }

  // Marks the bytes as damaged: a value made no sense.
  uint8_t Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace troth::coding
