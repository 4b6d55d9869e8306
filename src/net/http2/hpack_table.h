#pragma once
// The part of an HPACK table that grows as fields are sent (RFC 7541 section 2.3.2): a queue of the
// newest fields, bounded in bytes. Both sides keep the same one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/http2/field_kind.h"

namespace troth::net {

// Both sides' default, and the most we use or grant.
inline constexpr uint32_t kHpackTableBytesMax = 4096;

class HpackTable {
 public:
  struct Entry {
    std::string text;  // name and value
    uint32_t name_size = 0;
    FieldKind kind = FieldKind::kRegular;
    uint64_t same_hash = 0;  // for who looks fields up: number of the one before; 0: none

    std::string_view name() const { return std::string_view(text).substr(0, name_size); }
    std::string_view value() const { return std::string_view(text).substr(name_size); }
  };

  // What a field counts for.
  static size_t BytesOf(std::string_view name, std::string_view value) {
    return name.size() + value.size() + kOverheadBytes;
  }

  // Drops the oldest until `name` and `value`, which may be views of them, fit, and adds them. Null
  // when they are larger than the whole table, which is empty then. Valid until the next call.
  Entry* Insert(std::string_view name, std::string_view value, FieldKind kind);
  // No more than `bytes` are used, now and later: drops the oldest until it is so.
  void SetBytesMax(uint32_t bytes);

  size_t bytes_max() const { return bytes_max_; }
  size_t size() const { return size_; }
  // `age` 0 is the newest; less than size().
  const Entry& At(size_t age) const { return ring_[(inserted_ - 1 - age) & (ring_.size() - 1)]; }

  // Fields are numbered from 1 on as they are inserted: the newest has this number.
  uint64_t inserted() const { return inserted_; }
  bool Holds(uint64_t number) const { return number + size_ > inserted_; }

 private:
  static constexpr size_t kOverheadBytes = 32;  // RFC 7541 section 4.1
  static constexpr size_t kRingMin = 16;

  void DropUntil(size_t bytes);
  void Grow();

  std::vector<Entry> ring_;  // a power of two; entry number n is at (n - 1) mod its size
  std::string scratch_;
  uint64_t inserted_ = 0;
  size_t size_ = 0;
  size_t bytes_ = 0;
  size_t bytes_max_ = kHpackTableBytesMax;
};

}  // namespace troth::net
