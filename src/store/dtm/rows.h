#pragma once
// The rows in which dtm keeps a transaction, as plain values (protocol/stores.md 2 and 3), and how
// they become a Transaction and back. Every shared store keeps these: as columns in SQL, as JSON in
// Redis, which is written without them (record_json.h). How servers exclude each other on them:
// docs/adr/0016.
//
// Pure functions and values; any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "engine/action.h"
#include "engine/transaction.h"
#include "store/store.h"

namespace troth::dtm {

// A row of trans_global. Times that are NULL are nothing; texts that are NULL are "".
struct GlobalRow {
  uint64_t id = 0;  // SQL's row id, which orders lists; 0 in Redis. Not written.
  std::string gid{};
  std::string trans_type{};
  std::string status{};
  std::string query_prepared{};
  std::string protocol{};
  std::optional<TimePoint> create_time{};
  std::optional<TimePoint> update_time{};
  std::optional<TimePoint> finish_time{};
  std::optional<TimePoint> rollback_time{};
  std::string options{};      // JSON
  std::string custom_data{};  // JSON
  std::string ext_data{};     // JSON, old rows only
  std::string result{};
  std::string rollback_reason{};
  int64_t next_cron_interval = 0;
  // Due when it is over; exact here. Stores that count in seconds must write CeilToSecond of it.
  std::optional<TimePoint> next_cron_time{};
  std::string owner{};  // owner.h
  // A saga's tries used. Redis keeps it; SQL has no column for it (see troth_state).
  std::optional<int64_t> retry_count{};
  // Ours, in a column dtm does not know (ADR 0016): JSON of what dtm keeps nowhere; "" when there
  // is nothing to tell. A store without the column drops it.
  std::string troth_state{};

  bool operator==(const GlobalRow&) const = default;
};

// A row of trans_branch_op, or an element of Redis' list.
struct BranchRow {
  std::string branch_id{};
  std::string op{};
  std::string status{};
  std::string url{};
  std::string bin_data{};  // bytes; NULL is ""
  std::optional<TimePoint> create_time{};
  std::optional<TimePoint> update_time{};
  std::optional<TimePoint> finish_time{};

  bool operator==(const BranchRow&) const = default;
};

// A transaction as it was read, for Decode.
struct Record {
  GlobalRow global{};
  std::vector<BranchRow> branches{};  // in storage order: by id in SQL, by position in Redis
};

// A branch row that leaves `prepared`.
struct BranchChange {
  uint32_t position = 0;  // in storage order, from 0
  std::string branch_id{};
  BranchOp op = BranchOp::kAction;
  BranchStatus status = BranchStatus::kSucceeded;
  TimePoint update_time{};
  std::optional<TimePoint> finish_time{};
};

// What one save does. It may be applied, in one atomic step, exactly when
//   - creation: no row has the gid;
//   - else: the row's status is `expected_status` and its owner is `expected_owner`, and, if
//     `counts_branches`, it has exactly `branches_before` branch rows (taken after the global row
//     was locked, so that no server can add one in between), and each row of `changed` is
//     `prepared`, and no row of `added` exists.
// Otherwise the save is a kConflict and nothing of it is applied.
struct Changes {
  bool creation = false;
  TransStatus expected_status = TransStatus::kPrepared;
  std::string expected_owner{};

  // The new row. Of a creation all of it; else status, update_time, next_cron_interval,
  // next_cron_time and owner are set; finish_time, rollback_time, result, rollback_reason and
  // troth_state are written if set ("" and nothing: leave the column alone); and with
  // `fixed_changed` also query_prepared, options and custom_data.
  GlobalRow global{};
  bool fixed_changed = false;

  std::vector<BranchRow> added{};  // in order, after those in the store
  uint32_t branches_before = 0;    // rows in the store before `added`
  // The second phase begins: a branch that another server registered must not be missed.
  bool counts_branches = false;
  std::vector<BranchChange> changed{};
};

// What Store::Encode makes of a save in every store of rows: gid, versions and index.
SaveRecord BeginSaveRecord(const Save& save);

// The same and the changes, in SQL. `token` names the open store (owner.h).
SaveRecord EncodeRows(const Save& save, std::string_view token);

// What a store hands out of rows it has read: gid, version and rows.
StoredRecord MakeStoredRecord(Record record);

// What Store::Decode makes of that. DataLoss names the column that no server could use, and what to
// do.
StatusOr<std::unique_ptr<Transaction>> DecodeRows(const StoredRecord& stored);

// The next whole second, or `time` itself when it is one. What is due is never due too early.
TimePoint CeilToSecond(TimePoint time);

}  // namespace troth::dtm
