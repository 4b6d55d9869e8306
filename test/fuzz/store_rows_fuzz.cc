// Rows of the embedded store: what a damaged disk returns gives a row or an error, and a row that
// was read is written as the same row.

#include <string>

#include "base/check.h"
#include "input.h"
#include "store/rocksdb_layout.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

using namespace rocksdb_layout;

constexpr uint64_t kSequence = 1'700'000'000'000'000;

void CheckRow(std::string_view bytes) {
  Row row;
  if (!DecodeRow(kSequence, bytes, &row)) return;
  std::string written;
  AppendRow(written, kSequence, row);
  Row again;
  TROTH_CHECK(DecodeRow(kSequence, written, &again));
  TROTH_CHECK(again.version == row.version && again.gid == row.gid && again.state == row.state);
  TROTH_CHECK(again.index.status == row.index.status && again.index.due == row.index.due);
}

void CheckKv(std::string_view bytes) {
  const std::string key = KvKey("topics", "t");
  KvRecord record;
  if (!DecodeKv(key, bytes, &record)) return;
  KvRecord again;
  TROTH_CHECK(DecodeKv(key, EncodeKv(record), &again) && again == record);
}

void CheckDocument(std::string_view bytes) {
  std::string_view fixed;
  std::string_view page;
  if (SplitDocument(bytes, &fixed, &page)) TROTH_CHECK(fixed.size() + page.size() < bytes.size());
}

}  // namespace

void FuzzStoreRows(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  uint64_t number = 0;
  uint32_t part = 0;
  switch (choice % 4) {
    case 0: return CheckRow(input.rest());
    case 1: return CheckKv(input.rest());
    case 2: return CheckDocument(input.rest());
    case 3:
      SequenceOf(input.rest());
      HasPartNumber(input.rest(), &part);
      DecodeNumber(input.rest(), &number);
      return;
  }
}

}  // namespace troth::fuzz
