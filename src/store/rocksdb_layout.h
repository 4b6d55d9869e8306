#pragma once
// How the embedded store lays transactions out in RocksDB. Private to this folder.
//
// A transaction gets a sequence at its creation: its creation time in microseconds, or the last
// sequence + 1 if that is higher. So sequences tell the order of creation and nearly its time.
//
//   family      key                    value
//   default     m<name>                the store's own numbers: format, lead
//               v<category><key>       a named value (topics)
//   gids        gid                    sequence
//   documents   sequence               the creation's fixed part and page; never changed
//               sequence, number       a later page; number kFixedPartNumber: the newer fixed part
//   active      sequence               row of an unfinished transaction, read whole when opening
//   succeeded   sequence               row of one that succeeded
//   failed      sequence               row of one that failed
//
// A row is what changes: version, index, gid and state. Filters read rows, never documents; the few
// that failed have a family of their own so that listing them passes over no others.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/store.h"

namespace troth::rocksdb_layout {

enum Family : size_t { kDefault, kGids, kDocuments, kActive, kSucceeded, kFailed, kFamilyCount };
inline constexpr std::array<const char*, kFamilyCount> kFamilyNames = {
    "default", "gids", "documents", "active", "succeeded", "failed"};

// Where the row of a transaction of this status is.
inline Family RowFamily(TransStatus status) {
  if (!IsFinal(status)) return kActive;
  return status == TransStatus::kSucceeded ? kSucceeded : kFailed;
}

inline constexpr std::string_view kFormatKey = "mformat";
inline constexpr std::string_view kLeadKey = "mlead";
inline constexpr uint64_t kFormat = 1;

inline constexpr uint32_t kFixedPartNumber = UINT32_MAX;

// A key made of a sequence, and of a part's number where there is one. Orders as the numbers do.
class SequenceKey {
 public:
  explicit SequenceKey(uint64_t sequence) : size_(8) { PutBigEndian(sequence, 0, 8); }
  SequenceKey(uint64_t sequence, uint32_t part) : size_(12) {
    PutBigEndian(sequence, 0, 8);
    PutBigEndian(part, 8, 4);
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  void PutBigEndian(uint64_t value, size_t at, size_t size) {
    for (size_t i = size; i-- > 0; value >>= 8) bytes_[at + i] = static_cast<char>(value);
  }
  char bytes_[12];
  size_t size_;
};

uint64_t SequenceOf(std::string_view key);  // 0 when the key is too short
// Of a documents key: the part's number; the creation's own document has none.
bool HasPartNumber(std::string_view key, uint32_t* number);

struct Row {
  uint64_t version = 0;
  RecordIndex index;
  bool has_parts = false;  // documents holds more than the creation's
  bool due_was_reset = false;
  std::string_view gid;
  std::string_view state;
};
void AppendRow(std::string& out, uint64_t sequence, const Row& row);
// False when the bytes are damaged. The views of `row` point into them.
bool DecodeRow(uint64_t sequence, std::string_view bytes, Row* row);

void AppendNumber(std::string& out, uint64_t number);
bool DecodeNumber(std::string_view bytes, uint64_t* number);

// The document of a creation: what stands before the fixed part; the page is the rest.
void AppendFixedSize(std::string& out, size_t fixed_size);
bool SplitDocument(std::string_view bytes, std::string_view* fixed, std::string_view* page);

std::string KvPrefix(std::string_view category);  // of all keys of a category; empty: of all
std::string KvKey(std::string_view category, std::string_view key);
std::string EncodeKv(const KvRecord& record);
bool DecodeKv(std::string_view key, std::string_view value, KvRecord* record);

}  // namespace troth::rocksdb_layout
