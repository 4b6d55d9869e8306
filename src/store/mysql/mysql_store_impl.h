#pragma once
// The store's inside. mysql_commit.cc: saves; mysql_load.cc: records; mysql_due.cc: what is due;
// mysql_kv.cc: topics; mysql_open.cc: opening and tables. Private to this folder.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/random.h"
#include "store/connection_pool.h"
#include "store/dtm/column_limits.h"
#include "store/dtm/local_time.h"
#include "store/mysql/mysql_connection.h"
#include "store/mysql/mysql_rows.h"
#include "store/mysql/mysql_store.h"

namespace troth::mysql {

using Pool = ConnectionPool<Connection>;

class MysqlStore final : public Store {
 public:
  MysqlStore(MysqlOptions options, dtm::ColumnLimits limits);

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
  uint64_t Unfinished() override { return unfinished_.load(std::memory_order_relaxed); }
  Status Health() override;

 private:
  class Committing;  // one Commit

  std::string NewToken();
  // A statement on any connection; a second try when the connection had gone stale.
  StatusOr<uint64_t> Execute(std::string_view sql);
  StatusOr<std::vector<Row>> Query(std::string_view sql);
  // Of the rows of trans_global that `condition` selects.
  StatusOr<std::map<std::string, dtm::Record>> ReadWhere(std::string_view condition);
  std::string FilterCondition(const ListFilter& filter) const;

  struct DueRow {
    uint64_t id = 0;
    std::string gid;
  };
  StatusOr<std::vector<DueRow>> FindDue(TimePoint now, size_t limit);
  StatusOr<std::vector<StoredRecord>> ReadClaimed(const std::vector<DueRow>& due,
                                                  std::string_view token);
  void CountUnfinished(TimePoint now);
  StatusOr<uint64_t> PurgeSome(TimePoint before, size_t limit);
  StatusOr<std::vector<KvRecord>> ReadKv(std::string_view condition);
  // Remembers how the store answered last.
  void Note(const Status& status);

  const MysqlOptions options_;
  const dtm::ColumnLimits limits_;
  const dtm::LocalTime local_;
  const Literals literals_;
  Pool pool_;
  absl::Mutex mutex_;
  Random random_ ABSL_GUARDED_BY(mutex_);
  Status health_ ABSL_GUARDED_BY(mutex_);
  const std::string token_;            // in the owner of every row this store writes
  std::atomic<int64_t> next_poll_{0};  // microseconds since 1970
  std::atomic<int64_t> next_count_{0};
  std::atomic<uint64_t> unfinished_{0};
};

}  // namespace troth::mysql
