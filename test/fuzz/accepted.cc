#include "accepted.h"

#include "base/check.h"
#include "base/text.h"
#include "store/record.h"

namespace troth::fuzz {
namespace {

void CheckReadsBack(const Transaction& txn) {
  const Save save{.id = 1, .txn = &txn, .expected_version = 0, .fixed_part_changed = true};
  const SaveRecord written = EncodeSave(save);
  StoredRecord stored{.gid = txn.gid,
                      .version = txn.version,
                      .fixed = written.fixed,
                      .pages = {},
                      .state = written.state};
  if (!written.page.empty()) stored.pages.push_back(written.page);
  const auto read = DecodeTransaction(stored);
  TROTH_CHECK(read.ok());
  TROTH_CHECK(**read == txn);
}

}  // namespace

void CheckAccepted(const Request& request, const Limits& limits) {
  Transaction txn = request.draft;
  TROTH_CHECK(IsValidUtf8(txn.gid) && txn.gid.size() <= limits.gid_bytes_max);
  TROTH_CHECK(txn.branches.size() <= limits.branches_max);
  for (const Branch& branch : txn.branches) {
    TROTH_CHECK(branch.payload == kNoPayload || branch.payload < txn.payloads.size());
  }
  for (const StepOrder& order : txn.saga_orders) {
    TROTH_CHECK(order.step < txn.branches.size() / 2);
    for (const uint32_t step : order.after) TROTH_CHECK(step < txn.branches.size() / 2);
  }
  txn.version = 1;
  txn.pages = txn.branches.empty() && txn.payloads.empty() ? 0 : 1;
  CheckReadsBack(txn);
}

}  // namespace troth::fuzz
