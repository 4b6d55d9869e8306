#include "contract/store_contract_suite.h"

#include <algorithm>
#include <functional>

#include "base/text.h"

namespace troth {
namespace {

void Mark(Transaction& txn) { MarkOf(txn) = Cat(txn.gid, " v", txn.version); }

Save SaveOf(const Draft& draft) {
  const Transaction& txn = draft.txn;
  return {.txn = &txn,
          .expected_version = draft.expected_version,
          .expected_status = draft.expected_status,
          .expected_leased = draft.expected_leased,
          .branches_from = draft.branches_from,
          .payloads_from = draft.payloads_from,
          .rows_changed = draft.rows_changed,
          .page_number = txn.pages == 0 ? 0 : txn.pages - 1,
          .fixed_part_changed = draft.fixed_changed};
}

}  // namespace

std::string& MarkOf(Transaction& txn) { return txn.rollback_reason; }
std::string MarkOf(const Transaction& txn) { return txn.rollback_reason; }
std::string& FixedOf(Transaction& txn) { return txn.query_prepared; }
std::string FixedOf(const Transaction& txn) { return txn.query_prepared; }

std::vector<std::string> PayloadsOf(const Transaction& txn) {
  std::vector<std::string> payloads;
  for (const Branch& branch : txn.branches) payloads.emplace_back(txn.payload(branch));
  return payloads;
}

Draft Creation(std::string_view gid, TimePoint created, TimePoint due) {
  Draft draft{.fixed_changed = true};
  Transaction& txn = draft.txn;
  txn.gid = gid;
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.create_time = txn.update_time = created;
  txn.next_cron_interval = 10;
  txn.next_cron_time = due;
  FixedOf(txn) = Cat("fixed of ", gid);
  AddBranch(draft, Cat("payload 0 of ", gid));
  Mark(txn);
  return draft;
}

void AddBranch(Draft& draft, std::string_view payload) {
  Transaction& txn = draft.txn;
  if (txn.branches.size() == draft.branches_from) ++txn.pages;
  txn.branches.push_back({.branch_id = Cat(txn.branches.size() + 1),
                          .url = "http://h/action",
                          .payload = static_cast<uint32_t>(txn.payloads.size()),
                          .create_time = txn.create_time,
                          .update_time = txn.create_time});
  txn.payloads.emplace_back(payload);
}

Draft After(const Transaction& last) {
  Draft draft{.txn = last,
              .expected_version = last.version,
              .expected_status = last.status,
              .expected_leased = last.leased,
              .branches_from = last.branches.size(),
              .payloads_from = last.payloads.size()};
  ++draft.txn.version;
  Mark(draft.txn);
  return draft;
}

Draft After(const Draft& last) { return After(last.txn); }

Draft Ending(const Draft& last, TimePoint ended, TransStatus status) {
  Draft draft = After(last);
  ChangeStatus(draft.txn, status, ended);
  for (uint32_t row = 0; row < draft.txn.branches.size(); ++row) {
    ChangeStatus(draft.txn.branches[row], BranchStatus::kSucceeded, ended);
    draft.rows_changed.push_back(row);
  }
  return draft;
}

SaveResult StoreContract::Commit(const Draft& draft) { return Commit(std::vector{draft})[0]; }

std::vector<SaveResult> StoreContract::Commit(const std::vector<Draft>& drafts) {
  std::vector<SaveRecord> saves;
  for (const Draft& draft : drafts) saves.push_back(store().Encode(SaveOf(draft)));
  std::vector<SaveResult> results;
  for (const SaveOutcome& outcome : store().Commit(saves)) {
    EXPECT_EQ(outcome.error, "");
    results.push_back(outcome.result);
  }
  EXPECT_EQ(results.size(), saves.size());
  return results;
}

void StoreContract::MustCommit(const std::vector<Draft>& drafts) {
  EXPECT_THAT(Commit(drafts), testing::Each(SaveResult::kStored));
}

Transaction StoreContract::Decode(const StoredRecord& record) {
  const auto txn = store().Decode(record);
  EXPECT_TRUE(txn.ok()) << txn.status();
  return txn.ok() ? **txn : Transaction();
}

Transaction StoreContract::MustLoad(std::string_view gid) {
  const auto loaded = store().Load(gid);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return {};
  EXPECT_TRUE(loaded->has_value()) << gid << " is missing";
  return loaded->has_value() ? Decode(**loaded) : Transaction();
}

bool StoreContract::Exists(std::string_view gid) {
  const auto loaded = store().Load(gid);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() && loaded->has_value();
}

std::vector<std::string> StoreContract::Claim(TimePoint now, TimePoint lease_until, size_t limit) {
  const auto claimed = store().ClaimDue(now, lease_until, limit);
  EXPECT_TRUE(claimed.ok()) << claimed.status();
  std::vector<std::string> gids;
  if (!claimed.ok()) return gids;
  for (const StoredRecord& record : *claimed) gids.push_back(record.gid);
  return gids;
}

std::vector<std::string> StoreContract::ListAll(ListFilter filter) {
  std::vector<Transaction> listed;
  do {
    const auto page = store().List(filter);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    EXPECT_LE(page->records.size(), filter.limit);
    for (const StoredRecord& record : page->records) listed.push_back(Decode(record));
    filter.position = page->next_position;
  } while (!filter.position.empty());
  if (!newest_first()) {
    std::ranges::sort(listed, std::greater(), &Transaction::create_time);
  }
  std::vector<std::string> gids;
  for (const Transaction& txn : listed) gids.push_back(txn.gid);
  return gids;
}

}  // namespace troth
