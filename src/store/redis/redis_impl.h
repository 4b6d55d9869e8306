#pragma once
// The class behind OpenRedisStore. redis_open.cc, redis_commit.cc, redis_claim.cc, redis_list.cc
// and redis_kv.cc have a part each.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "store/redis/client.h"
#include "store/redis/redis_store.h"
#include "store/redis/scripts.h"

namespace troth {

class RedisStore final : public Store {
 public:
  // What lives as long as the store but must not be built by a constructor.
  struct Parts {
    std::unique_ptr<redis::TlsClient> tls;
    std::unique_ptr<redis::Scripts> scripts;
    std::unique_ptr<redis::Client> client;
  };
  static StatusOr<Parts> MakeParts(const RedisOptions& options);

  RedisStore(RedisOptions options, Parts parts);

  // Asks Redis how it is set up; refuses what would lose transactions.
  Status CheckServer();
  // Whether the account may do what we do; other troubles pass.
  Status CheckRights();
  Status RemoveAll();

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
  uint64_t Unfinished() override { return unfinished_; }
  Status Health() override;

 private:
  class Commit_;

  // A page of the keyspace.
  struct KeyPage {
    std::vector<std::string> keys;
    std::string next;  // position; empty: no more
  };

  std::string Key(std::string_view part, std::string_view name) const;
  // For SCAN: keys that begin so.
  static std::string PatternOf(std::string_view begin);
  std::string TransactionPattern() const;
  // The keys that every script of one transaction takes, in their order.
  std::vector<std::string> KeysOf(std::string_view gid) const;
  void AddScript(redis::Batch& batch,
                 const redis::Script& script,
                 std::span<const std::string> keys,
                 std::span<const std::string> arguments) const;

  void NoteCommit(const Status& problem);
  void WakeAt(TimePoint due);
  void KeepSome(TimePoint now);

  // Each record, nothing when there is none, or why not. DataLoss: it is damaged.
  std::vector<StatusOr<std::optional<StoredRecord>>> LoadAll(const std::vector<std::string>& gids,
                                                             redis::Reach reach);
  // What records tell without their branches, or why not. DataLoss: it is damaged; NotFound: it is
  // gone meanwhile.
  std::vector<StatusOr<RecordIndex>> ReadIndexes(const std::vector<std::string>& keys);
  // Adds to the page those of the keys that the filter wants.
  Status AddToPage(const std::vector<std::string>& keys, const ListFilter& filter, ListPage& page);
  // `limit` keys of the pattern at a position, or fewer.
  StatusOr<KeyPage> ScanKeys(std::string_view pattern, std::string_view position, size_t limit);
  std::vector<StatusOr<std::optional<std::string>>> GetAll(const std::vector<std::string>& keys);
  StatusOr<std::vector<KvRecord>> ReadKv(const std::vector<std::string>& keys);
  // Whether it was there and finished.
  StatusOr<bool> PurgeOne(const std::string& key);

  const RedisOptions options_;
  const Parts parts_;
  const std::string token_;  // of this open store, in the owner of what it saves (dtm/owner.h)
  std::atomic<uint64_t> claims_ = 0;      // makes the token of each claim another one
  std::atomic<int64_t> next_due_;         // micros; when to claim next
  std::atomic<uint64_t> unfinished_ = 0;  // as of the last claim

  absl::Mutex mutex_;
  Status problem_ ABSL_GUARDED_BY(mutex_);  // of the last commit
  // Where and when KeepSome goes on.
  int64_t keep_rank_ ABSL_GUARDED_BY(mutex_) = 0;
  TimePoint keep_at_ ABSL_GUARDED_BY(mutex_);

  absl::Mutex purge_mutex_;  // held during a purge: one at a time
  std::string purge_position_ ABSL_GUARDED_BY(purge_mutex_);
};

}  // namespace troth
