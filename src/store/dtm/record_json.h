#pragma once
// dtm's rows as the JSON that Redis holds (protocol/stores.md 2.1 to 2.3 and 3.1): its key order,
// its empty keys left out, plain integers, RFC 3339 times. troth_state has no place in it, because
// dtm drops keys it does not know when it rewrites a record.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/text_buffer.h"
#include "base/time_text.h"
#include "engine/transaction.h"
#include "store/dtm/rows.h"
#include "store/store.h"

namespace troth::dtm {

// Writes the record and the rows of one transaction straight from it: every transaction's bytes
// pass here several times. One thread; the transaction outlives it and does not change meanwhile.
class RecordJson {
 public:
  explicit RecordJson(const Transaction& txn) : txn_(txn) {}

  // Appends the record with this owner (owner.h). Returns how many of its bytes follow the owner.
  size_t AppendGlobal(TextBuffer& out, std::string_view owner);
  // Appends the row of one of its branches.
  void AppendBranch(TextBuffer& out, const Branch& branch);

 private:
  struct KnownTime {
    TimePoint time;
    size_t size = 0;  // of the text; 0: none yet
    std::array<char, kTimeTextMax + 2> text;
  };
  // As JSON, with its quotes. Valid until the next two calls.
  std::string_view TimeText(TimePoint time);

  const Transaction& txn_;
  // Most times of a save are the same two.
  std::array<KnownTime, 2> times_;
  size_t newest_ = 0;
};

std::string KvJson(const KvRecord& record);

// The inverses. Keys in any case, unknown ones ignored, null is nothing. InvalidArgument says what
// is wrong with the text.
StatusOr<GlobalRow> ParseGlobalJson(std::string_view text);
StatusOr<BranchRow> ParseBranchJson(std::string_view text);
StatusOr<KvRecord> ParseKvJson(std::string_view text);

}  // namespace troth::dtm
