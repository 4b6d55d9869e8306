#pragma once
// Where transactions live. The contract every backend keeps, proven by store_contract_test.
//
// Calls block and are made by the runtime's store threads: Commit by as many threads at a time as
// commit_shape() allows, the others by any thread at any time. A store knows nothing of planners.
// What a record looks like is its own affair: Encode and Decode are the only way in and out. Stores
// of our own keep bytes (record.h); shared ones keep the rows that dtm keeps (dtm/rows.h).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "engine/action.h"
#include "engine/event.h"
#include "engine/transaction.h"

namespace troth {

namespace dtm {
struct Changes;
struct Record;
}  // namespace dtm

// What a record's index needs without reading its bytes.
struct RecordIndex {
  TransType type = TransType::kMsg;
  TransStatus status = TransStatus::kPrepared;
  bool leased = false;
  bool waits_for_retry = false;  // an exclusive store hands it out at once after a restart
  TimePoint create_time{};
  TimePoint update_time{};
  TimePoint due{};  // next_cron_time
};

// Arguments of a script, as they are sent.
struct ScriptArguments {
  std::string text;
  uint32_t count = 0;
  bool alone = false;       // the scripts for many saves cannot take it
  std::string troth_state;  // JSON (dtm/troth_state.h), "" when there is nothing to tell
};

// One write, made by Store::Encode.
struct SaveRecord {
  std::string gid;
  uint64_t expected_version = 0;  // 0: creation, the gid must not exist
  uint64_t version = 0;
  RecordIndex index;

  // Stores that keep bytes:
  std::string fixed;         // empty: unchanged since the last save
  std::string page;          // branches and payloads appended by this save; empty: none
  uint32_t page_number = 0;  // pages are numbered 0, 1, 2 ... without a gap
  std::string state;         // what changes; always present

  // Stores that keep dtm's rows in SQL: what it does to them. Never null there.
  std::shared_ptr<const dtm::Changes> changes = nullptr;

  // Redis: what its scripts are told of it (redis/save_arguments.h).
  ScriptArguments script{};
};

// How a store is best handed its saves.
struct CommitShape {
  // Threads that may be in Commit at once. One builds and sends a batch while another waits for the
  // store to make the one before durable.
  size_t at_once = 1;
  // Saves of one Commit. More are taken, but carried out one part after the other.
  size_t saves_max = SIZE_MAX;
};

struct SaveOutcome {
  SaveResult result = SaveResult::kStored;
  std::string error;  // kUnknown, kRefused: what failed and what the operator can do
};

// A record as stored, for Store::Decode.
struct StoredRecord {
  std::string gid;
  uint64_t version = 0;

  // Stores that keep bytes:
  std::string fixed;
  std::vector<std::string> pages;  // in order
  std::string state;
  // Set when ResetDue moved it since `state` was saved.
  std::optional<TimePoint> due = std::nullopt;

  // Stores that keep dtm's rows. Never null there.
  std::shared_ptr<const dtm::Record> rows = nullptr;
};

struct ListFilter {
  std::string position{};  // opaque, from the last page; empty: the newest
  size_t limit = 100;
  std::optional<TransStatus> status = std::nullopt;
  std::optional<TransType> type = std::nullopt;
  std::optional<TimePoint> created_from = std::nullopt;  // inclusive
  std::optional<TimePoint> created_to = std::nullopt;    // inclusive
};
// A record that is there and cannot be used.
struct DamagedRecord {
  std::string gid;
  std::string error;  // what is wrong with it and what to do
};
struct ListPage {
  std::vector<StoredRecord> records;   // newest first
  std::vector<DamagedRecord> damaged;  // what is left out of them
  std::string
      next_position;  // empty: no more. May be set with fewer records than limit (bounded scan)
};

struct ResetCount {
  uint64_t changed = 0;
  bool more = false;
};

// Small named values with a version (topics). protocol/stores.md 2.3 and 9.
struct KvRecord {
  uint64_t id = 0;
  std::string category, key, value;
  uint64_t version = 1;
  TimePoint create_time{}, update_time{};
  bool operator==(const KvRecord&) const = default;
};

class Store {
 public:
  virtual ~Store() = default;

  // What the engine asks to save, in this store's form. Cheap; any thread, also while others call.
  // The engine's own thread makes it, since the transaction goes on at once.
  virtual SaveRecord Encode(const Save& save) const;
  // The transaction that a record of this store tells. Any thread. DataLoss with what is wrong and
  // what to do when it is damaged or of a newer format.
  virtual StatusOr<std::unique_ptr<Transaction>> Decode(const StoredRecord& record) const;

  // Does not change while the store is open. Any thread.
  virtual CommitShape commit_shape() const { return {}; }

  // Applies each save whose record is at its expected version, in order, so that two saves of one
  // gid in one batch see each other; in two calls at once they are as those of two servers: one of
  // them is applied. Result i belongs to saves[i]. kStored survives power loss.
  // kRefused: this store cannot hold it (a column is too short); nothing was written. After a
  // failed write or sync every later Commit answers kUnknown until the store is opened again or has
  // recovered (Health tells).
  [[nodiscard]] virtual std::vector<SaveOutcome> Commit(std::span<const SaveRecord> saves) = 0;

  // The record, or nothing.
  virtual StatusOr<std::optional<StoredRecord>> Load(std::string_view gid) = 0;

  // Unfinished transactions due at `now`, longest due first, at most `limit`. Each is handed to one
  // caller only: it is not due again before `lease_until`, or before what a later save says. Stores
  // that count due times in whole seconds round them up, so that nothing comes too early.
  virtual StatusOr<std::vector<StoredRecord>> ClaimDue(TimePoint now,
                                                       TimePoint lease_until,
                                                       size_t limit) = 0;
  // When the next unfinished transaction is due; nothing: none. Shared stores may answer `now` +
  // poll interval.
  virtual std::optional<TimePoint> NextDue() = 0;

  // Newest first. A rare filter may scan long: the scan is bounded and hands back a position to go
  // on.
  virtual StatusOr<ListPage> List(const ListFilter& filter) = 0;

  // Makes up to `limit` unfinished transactions that are due later than `after` due at `now`
  // (resetCronTime).
  virtual StatusOr<ResetCount> ResetDue(TimePoint now, TimePoint after, size_t limit) = 0;

  // Removes finished transactions that ended before `before`, at most `limit` in one call; returns
  // how many.
  virtual StatusOr<uint64_t> Purge(TimePoint before, size_t limit) = 0;

  virtual StatusOr<std::vector<KvRecord>> FindKv(std::string_view category,
                                                 std::string_view key) = 0;  // empty: any
  virtual StatusOr<std::vector<KvRecord>> ScanKv(std::string_view category,
                                                 std::string_view position,
                                                 size_t limit,
                                                 std::string* next_position) = 0;
  virtual Status CreateKv(const KvRecord& record) = 0;  // AlreadyExists
  virtual Status UpdateKv(
      const KvRecord& record) = 0;  // stored version must be record.version - 1; else NotFound
  virtual Status DeleteKv(std::string_view category, std::string_view key) = 0;  // NotFound

  // Unfinished transactions known to this store. Approximate in shared stores.
  virtual uint64_t Unfinished() = 0;

  // When the oldest of them was created, nearly; nothing when there is none, or when the
  // store cannot tell without searching.
  virtual std::optional<TimePoint> OldestCreation() { return std::nullopt; }

  // OK while saves can be durable.
  virtual Status Health() = 0;
};

}  // namespace troth
