#pragma once
// The PostgreSQL store from inside; postgres_store.h is its face. Private to this folder.
//
//   postgres_open.cc     opening, the tables
//   postgres_commit.cc   Commit: batches, retries, what is in doubt
//   pg_save.h            the statements of one batch
//   postgres_due.cc      ClaimDue, NextDue, ResetDue, what is unfinished
//   postgres_read.cc     Load, List
//   postgres_purge.cc    Purge
//   postgres_kv.cc       named values

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/random.h"
#include "store/connection_pool.h"
#include "store/dtm/column_limits.h"
#include "store/postgres/pg_connection.h"
#include "store/postgres/pg_save.h"
#include "store/postgres/postgres_rows.h"
#include "store/postgres/postgres_store.h"
#include "store/store.h"

namespace troth::postgres {

using Pool = ConnectionPool<Connection>;

class PostgresStore final : public Store {
 public:
  static StatusOr<std::unique_ptr<Store>> Open(const PostgresOptions& options);

  SaveRecord Encode(const Save& save) const override;
  StatusOr<std::unique_ptr<Transaction>> Decode(const StoredRecord& record) const override;
  CommitShape commit_shape() const override;
  std::vector<SaveOutcome> Commit(std::span<const SaveRecord> saves) override;
  StatusOr<std::optional<StoredRecord>> Load(std::string_view gid) override;
  StatusOr<std::vector<StoredRecord>> ClaimDue(TimePoint now,
                                               TimePoint lease_until,
                                               size_t limit) override;
  std::optional<TimePoint> NextDue() override;
  StatusOr<ListPage> List(const ListFilter& filter) override;
  StatusOr<ResetCount> ResetDue(TimePoint now, TimePoint after, size_t limit) override;
  StatusOr<uint64_t> Purge(TimePoint before, size_t limit) override;
  StatusOr<std::vector<KvRecord>> FindKv(std::string_view category, std::string_view key) override;
  StatusOr<std::vector<KvRecord>> ScanKv(std::string_view category,
                                         std::string_view position,
                                         size_t limit,
                                         std::string* next_position) override;
  Status CreateKv(const KvRecord& record) override;
  Status UpdateKv(const KvRecord& record) override;
  Status DeleteKv(std::string_view category, std::string_view key) override;
  uint64_t Unfinished() override;
  std::optional<TimePoint> OldestCreation() override;
  Status Health() override;

 private:
  PostgresStore(const PostgresOptions& options, const dtm::ColumnLimits& limits);

  // --- committing
  using Batch = std::span<const Pending>;
  // Those that fit, in rounds that hold each gid once, each round in pieces of batch_max.
  std::vector<std::vector<Pending>> BatchesOf(std::span<const SaveRecord> saves,
                                              std::vector<SaveOutcome>& outcomes);
  // Fills the outcomes of the batch. Not OK when the database is away: then it is of no use to go
  // on.
  Status CommitBatch(Batch batch, TimePoint give_up);
  // Tries again while trying helps. `in_doubt` is set when an attempt may have been carried out.
  Status TryBatch(Batch batch, TimePoint give_up, bool& in_doubt);
  // `sent` is set when the database may have been told of it.
  Status RunBatch(Batch batch, bool& sent);
  Status CommitHalves(Batch batch, TimePoint give_up);
  void SettleOne(const Pending& save, const Status& failure, bool in_doubt);
  // Whether the batch has been carried out: the rows say who wrote them last.
  StatusOr<bool> WasStored(Batch batch);

  double Chance();  // uniform in [0, 1)
  // Forgets idle connections when the server is another one now, or takes no writes any more.
  void Learn(const Status& status);

  // --- the rest: a connection for the time of the call
  StatusOr<Result> Run(const Query& query);
  StatusOr<std::vector<Result>> RunTransaction(std::span<const Query> queries);
  StatusOr<std::vector<Result>> RunSnapshot(std::span<const Query> queries);
  // Finished transactions that ended before `before`, at most `limit`.
  StatusOr<std::vector<std::string>> FindOver(TimePoint before, size_t limit);
  StatusOr<std::vector<StoredRecord>> LoadClaimed(const Result& claimed);
  void CountUnfinished(TimePoint now);

  const PostgresOptions options_;
  const dtm::ColumnLimits limits_;
  const bool has_troth_state_;
  const SaveStatements save_statements_;
  const ReadStatements read_statements_;
  Pool pool_;
  absl::Mutex mutex_;
  Random random_ ABSL_GUARDED_BY(mutex_);
  const std::string token_;         // names this open store in the owner column
  std::atomic<bool> down_ = false;  // the last commit could not be made

  // What NextDue and Unfinished answer without asking the database.
  std::atomic<int64_t> next_claim_micros_ = 0;
  std::atomic<uint64_t> unfinished_ = 0;
  TimePoint counted_at_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace troth::postgres
