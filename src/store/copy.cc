#include "store/copy.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"

namespace troth {
namespace {

// Transactions read and committed at once: a few MB of them.
constexpr size_t kPage = 256;

// Stores with whole seconds round up, down or to the nearest.
constexpr Duration kTimeTolerance = Seconds(1);

bool Near(TimePoint a, TimePoint b) { return a - b <= kTimeTolerance && b - a <= kTimeTolerance; }
bool Near(const std::optional<TimePoint>& a, const std::optional<TimePoint>& b) {
  return a.has_value() == b.has_value() && (!a || Near(*a, *b));
}

std::string DifferentBranch(const Transaction& a, const Transaction& b, size_t i) {
  const Branch& x = a.branches[i];
  const Branch& y = b.branches[i];
  const bool same = x.branch_id == y.branch_id && x.op == y.op && x.status == y.status &&
                    x.url == y.url && a.payload(x) == b.payload(y) &&
                    Near(x.finish_time, y.finish_time);
  return same ? "" : Cat("branch ", x.branch_id, " ", WireName(x.op));
}

std::string_view WorkflowInput(const Transaction& txn) {
  return txn.workflow_input == kNoPayload ? std::string_view() : txn.payloads[txn.workflow_input];
}

// Hands out the pages of a store's list from the oldest to the newest.
class OldestFirst {
 public:
  // Reads the whole list once, for the positions where its pages begin.
  static StatusOr<OldestFirst> Begin(Store& store) {
    OldestFirst pages(store);
    std::string position;
    do {
      pages.positions_.push_back(position);
      TROTH_ASSIGN_OR_RETURN(const ListPage page,
                             store.List({.position = position, .limit = kPage}));
      position = page.next_position;
    } while (!position.empty());
    return pages;
  }

  bool AtEnd() const { return positions_.empty(); }

  StatusOr<std::vector<std::unique_ptr<Transaction>>> Next() {
    TROTH_ASSIGN_OR_RETURN(const ListPage page,
                           store_->List({.position = positions_.back(), .limit = kPage}));
    positions_.pop_back();
    if (!page.damaged.empty()) {
      const DamagedRecord& first = page.damaged.front();
      return DataLoss(Cat("transaction ", first.gid, " cannot be copied: ", first.error));
    }
    std::vector<std::unique_ptr<Transaction>> transactions;
    for (const StoredRecord& record : page.records) {
      TROTH_ASSIGN_OR_RETURN(std::unique_ptr<Transaction> txn, store_->Decode(record));
      transactions.push_back(std::move(txn));
    }
    std::ranges::reverse(transactions);
    return transactions;
  }

 private:
  explicit OldestFirst(Store& store) : store_(&store) {}

  Store* store_;
  std::vector<std::string> positions_;
};

StatusOr<std::unique_ptr<Transaction>> LoadFrom(Store& store, const std::string& gid) {
  TROTH_ASSIGN_OR_RETURN(const std::optional<StoredRecord> record, store.Load(gid));
  if (!record) return NotFound(Cat("transaction ", gid, " is not there"));
  return store.Decode(*record);
}

// The transaction as the other store creates it, belonging to nobody.
SaveRecord CreationOf(const Store& to, Transaction& txn) {
  txn.owner.clear();
  txn.leased = false;
  txn.pages = txn.branches.empty() && txn.payloads.empty() ? 0 : 1;
  return to.Encode({.txn = &txn, .expected_version = 0, .fixed_part_changed = true});
}

Status SameInBoth(Store& to, const Transaction& txn) {
  TROTH_ASSIGN_OR_RETURN(const std::unique_ptr<Transaction> there, LoadFrom(to, txn.gid));
  const std::string difference = Difference(txn, *there);
  if (difference.empty()) return OkStatus();
  return FailedPrecondition(Cat("transaction ", txn.gid, " differs in the target: ", difference));
}

class Copy {
 public:
  Copy(Store& from, Store& to, const std::function<void(uint64_t)>& progress)
      : from_(from), to_(to), progress_(progress) {}

  Status CopyTransactions() {
    TROTH_ASSIGN_OR_RETURN(OldestFirst pages, OldestFirst::Begin(from_));
    while (!pages.AtEnd()) {
      TROTH_ASSIGN_OR_RETURN(const auto transactions, pages.Next());
      TROTH_RETURN_IF_ERROR(CopyPage(transactions));
      progress_(counts_.transactions);
    }
    return OkStatus();
  }

  Status CopyNamedValues() {
    TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> values, from_.FindKv("", ""));
    for (const KvRecord& value : values) {
      const Status created = to_.CreateKv(value);
      if (!created.ok() && created.code() != StatusCode::kAlreadyExists) return created;
      ++counts_.named_values;
    }
    return OkStatus();
  }

  Status Verify() {
    TROTH_ASSIGN_OR_RETURN(OldestFirst pages, OldestFirst::Begin(from_));
    while (!pages.AtEnd()) {
      TROTH_ASSIGN_OR_RETURN(const auto transactions, pages.Next());
      for (const auto& txn : transactions) TROTH_RETURN_IF_ERROR(SameInBoth(to_, *txn));
    }
    TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> values, from_.FindKv("", ""));
    for (const KvRecord& value : values) TROTH_RETURN_IF_ERROR(SameNamedValue(value));
    return OkStatus();
  }

  const CopyCounts& counts() const { return counts_; }

 private:
  Status CopyPage(const std::vector<std::unique_ptr<Transaction>>& transactions) {
    std::vector<SaveRecord> saves;
    for (const auto& txn : transactions) saves.push_back(CreationOf(to_, *txn));
    const std::vector<SaveOutcome> outcomes = to_.Commit(saves);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      TROTH_RETURN_IF_ERROR(Settle(outcomes[i], *transactions[i]));
    }
    return OkStatus();
  }

  Status Settle(const SaveOutcome& outcome, const Transaction& txn) {
    switch (outcome.result) {
      case SaveResult::kStored: break;
      case SaveResult::kConflict:
        TROTH_RETURN_IF_ERROR(SameInBoth(to_, txn));
        ++counts_.present;
        break;
      case SaveResult::kUnknown:
      case SaveResult::kRefused:
        return Aborted(Cat("transaction ", txn.gid, " could not be copied: ", outcome.error));
    }
    ++counts_.transactions;
    return OkStatus();
  }

  Status SameNamedValue(const KvRecord& value) {
    TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> there,
                           to_.FindKv(value.category, value.key));
    if (there.size() == 1 && there[0].value == value.value) return OkStatus();
    return FailedPrecondition(
        Cat("the named value ", value.category, " ", value.key, " differs in the target"));
  }

  Store& from_;
  Store& to_;
  const std::function<void(uint64_t)>& progress_;
  CopyCounts counts_;
};

}  // namespace

std::string Difference(const Transaction& a, const Transaction& b) {
  if (a.status != b.status) return "status";
  if (a.type != b.type) return "trans_type";
  if (a.protocol != b.protocol) return "protocol";
  if (a.options != b.options) return "options";
  if (a.query_prepared != b.query_prepared) return "query_prepared";
  if (a.custom_data != b.custom_data) return "custom_data";
  if (a.ext_data != b.ext_data) return "ext_data";
  if (a.result != b.result) return "result";
  if (a.rollback_reason != b.rollback_reason) return "rollback_reason";
  if (WorkflowInput(a) != WorkflowInput(b)) return "the workflow's input";
  if (!Near(a.create_time, b.create_time)) return "create_time";
  if (!Near(a.finish_time, b.finish_time)) return "finish_time";
  if (!Near(a.rollback_time, b.rollback_time)) return "rollback_time";
  if (!IsFinal(a.status) && !Near(a.next_cron_time, b.next_cron_time)) return "next_cron_time";
  if (a.branches.size() != b.branches.size()) return "the number of branches";
  for (size_t i = 0; i < a.branches.size(); ++i) {
    if (std::string different = DifferentBranch(a, b, i); !different.empty()) return different;
  }
  return "";
}

StatusOr<CopyCounts> CopyStore(Store& from,
                               Store& to,
                               const std::function<void(uint64_t)>& progress) {
  Copy copy(from, to, progress);
  TROTH_RETURN_IF_ERROR(copy.CopyTransactions());
  TROTH_RETURN_IF_ERROR(copy.CopyNamedValues());
  TROTH_RETURN_IF_ERROR(copy.Verify());
  return copy.counts();
}

StatusOr<bool> IsEmptyStore(Store& store) {
  TROTH_ASSIGN_OR_RETURN(const ListPage page, store.List({.limit = 1}));
  TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> values, store.FindKv("", ""));
  return page.records.empty() && page.damaged.empty() && page.next_position.empty() &&
         values.empty();
}

}  // namespace troth
