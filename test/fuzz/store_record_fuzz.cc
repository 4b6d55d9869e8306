// The bytes of a stored transaction: any bytes give a transaction that can be written again, or an
// error.

#include "base/check.h"
#include "engine/action.h"
#include "store/coding.h"
#include "store/record.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

// The parts of a record, each behind its length.
StoredRecord ReadParts(std::string_view bytes) {
  constexpr size_t kPagesMax = 8;
  coding::Reader in(bytes);
  StoredRecord record{.gid = "g", .version = 1, .fixed = {}, .pages = {}, .state = {}};
  record.fixed = in.Text();
  const size_t pages = in.Byte() % kPagesMax;
  for (size_t i = 0; i < pages; ++i) record.pages.emplace_back(in.Text());
  record.state = in.rest();
  return record;
}

StatusOr<std::unique_ptr<Transaction>> WriteAndRead(const Transaction& txn) {
  const SaveRecord written =
      EncodeSave({.id = 1, .txn = &txn, .expected_version = 0, .fixed_part_changed = true});
  StoredRecord stored{.gid = txn.gid,
                      .version = txn.version,
                      .fixed = written.fixed,
                      .pages = {},
                      .state = written.state};
  if (!written.page.empty()) stored.pages.push_back(written.page);
  return DecodeTransaction(stored);
}

}  // namespace

void FuzzStoreRecord(std::string_view bytes) {
  const auto txn = DecodeTransaction(ReadParts(bytes));
  if (!txn.ok()) return;
  const auto again = WriteAndRead(**txn);
  TROTH_CHECK(again.ok() && **again == **txn);
}

}  // namespace troth::fuzz
