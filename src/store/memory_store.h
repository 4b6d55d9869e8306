#pragma once
// A store that forgets everything when it goes: for tests, the simulator and trying things out. It
// keeps the whole contract of store.h except surviving the process. Thread-safe.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "store/store.h"
#include "store/unfinished_index.h"

namespace troth {

class MemoryStore final : public Store {
 public:
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
  Status Health() override { return OkStatus(); }

 private:
  struct Row {
    StoredRecord record;
    RecordIndex index;
  };
  using KvKey = std::pair<std::string, std::string>;  // category, key

  SaveResult CommitOne(const SaveRecord& save) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void UpdateDue(const SaveRecord& save, uint64_t sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  // Creation times in microseconds, or the last one + 1: the order of creation.
  uint64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, uint64_t> sequences_ ABSL_GUARDED_BY(mutex_);  // by gid
  std::map<uint64_t, Row> rows_ ABSL_GUARDED_BY(mutex_);                          // by sequence
  UnfinishedIndex unfinished_ ABSL_GUARDED_BY(mutex_);
  std::map<KvKey, KvRecord> kv_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troth
