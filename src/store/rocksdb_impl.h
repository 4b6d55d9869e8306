#pragma once
// The embedded store from inside; rocksdb_store.h is its face. Private to this folder.
//
//   rocksdb_open.cc      options, opening, what is in memory
//   rocksdb_commit.cc    Commit
//   rocksdb_read.cc      Load, ClaimDue, NextDue, ResetDue
//   rocksdb_list.cc      List
//   rocksdb_purge.cc     Purge
//   rocksdb_kv.cc        named values
//   rocksdb_failure.cc   what a failed write means, and the way back from a full disk
//
// Writers go one at a time (write_mutex_); readers take snapshots and run beside them. The index of
// unfinished transactions changes only after the disk did, so what it says is durable.

#include <rocksdb/db.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "store/rocksdb_layout.h"
#include "store/rocksdb_store.h"
#include "store/store.h"
#include "store/unfinished_index.h"

namespace troth {

inline rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksDbStore final : public Store {
 public:
  static StatusOr<std::unique_ptr<Store>> Open(const RocksDbOptions& options);
  ~RocksDbStore() override;

  // A sync costs little for a thousand saves; what more of them take is memory.
  CommitShape commit_shape() const override { return {.saves_max = 1024}; }
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
  using Family = rocksdb_layout::Family;
  using Entry = UnfinishedIndex::Entry;

  // What one gid was before a commit and becomes by it.
  struct Change {
    Entry* entry = nullptr;  // set: unfinished before
    bool exists = false;
    std::optional<Family> finished_in;  // set: finished before, its row is there
    bool is_new = false;                // created by this commit
    bool has_parts = false;
    uint64_t sequence = 0;
    uint64_t version = 0;
    const SaveRecord* newest = nullptr;  // the last save accepted; nullptr: nothing changes
  };
  struct PurgeStep {
    uint64_t removed = 0;
    bool done = false;    // nothing further can have ended before
    absl::Duration took;  // with the lock held
  };
  enum class Failure : uint8_t { kNone, kDiskFull, kFinal };

  explicit RocksDbStore(const RocksDbOptions& options);

  // --- rocksdb_open.cc
  Status OpenDatabase();
  Status CheckFormat();
  Status FillIndex();
  Status ReadLastSequence();
  Status OpenError(const rocksdb::Status& status) const;

  // --- rocksdb_commit.cc; all under write_mutex_, which keeps entries from being removed
  Status FindChanges(std::span<const SaveRecord> saves) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  Status FindFinished(std::span<const uint32_t> unknown_changes, std::span<const SaveRecord> saves)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  Status ReadFinished(uint64_t sequence, Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  SaveResult Apply(const SaveRecord& save, Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  void Create(const SaveRecord& save, Change& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  void PutParts(const SaveRecord& save, Change& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  void PutRow(const Change& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  uint64_t NextSequence(TimePoint create_time) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  void ClearBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  void RememberChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);

  // --- rocksdb_read.cc
  // The newest row of a sequence, whichever family has it; false: none.
  StatusOr<bool> ReadRow(const rocksdb::ReadOptions& read,
                         uint64_t sequence,
                         std::string* bytes,
                         rocksdb_layout::Row* row);
  StatusOr<bool> ReadRowIn(Family rows,
                           const rocksdb::ReadOptions& read,
                           uint64_t sequence,
                           std::string* bytes,
                           rocksdb_layout::Row* row);
  StatusOr<StoredRecord> ReadRecord(const rocksdb::ReadOptions& read,
                                    uint64_t sequence,
                                    const rocksdb_layout::Row& row);
  Status ReadParts(const rocksdb::ReadOptions& read, uint64_t sequence, StoredRecord* record);
  StatusOr<std::optional<StoredRecord>> LoadSequence(const rocksdb::ReadOptions& read,
                                                     uint64_t sequence);

  // --- rocksdb_list.cc
  std::vector<uint64_t> UnfinishedBelow(uint64_t below, std::optional<TransStatus> status)
      ABSL_LOCKS_EXCLUDED(index_mutex_);

  // --- rocksdb_purge.cc
  bool AnyUnfinishedBetween(uint64_t after, uint64_t before) ABSL_LOCKS_EXCLUDED(index_mutex_);
  uint64_t OldestUnfinished() ABSL_LOCKS_EXCLUDED(index_mutex_);  // UINT64_MAX: none
  StatusOr<PurgeStep> PurgeSome(TimePoint before, uint64_t limit) ABSL_LOCKS_EXCLUDED(write_mutex_);

  // --- rocksdb_kv.cc
  StatusOr<std::optional<KvRecord>> ReadKv(std::string_view category, std::string_view key);
  Status WriteKv(const KvRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);

  // --- rocksdb_failure.cc
  enum class Sync : uint8_t { kNo, kYes };
  // Writes the batch. A failure stops the store.
  Status Write(rocksdb::WriteBatch& batch, Sync sync) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  void Fail(const rocksdb::Status& status);
  void RecoverWhileOpen();
  bool WaitForFullDisk();
  bool HasRoom() const;
  void Resumed(const rocksdb::Status& status);
  Status ReadError(const rocksdb::Status& status) const;
  Status DamagedRow(uint64_t sequence) const;

  rocksdb::ColumnFamilyHandle* family(Family family) const { return families_[family]; }

  const RocksDbOptions options_;
  const std::unique_ptr<rocksdb::Env> spare_files_;  // what env_ opens files with
  const std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, rocksdb_layout::kFamilyCount> families_{};

  // How far a sequence may be ahead of its creation time, in microseconds; only grows, by doubling.
  std::atomic<uint64_t> lead_ = 0;

  absl::Mutex write_mutex_ ABSL_ACQUIRED_BEFORE(index_mutex_);
  uint64_t last_sequence_ ABSL_GUARDED_BY(write_mutex_) = 0;
  uint64_t purge_from_ ABSL_GUARDED_BY(write_mutex_) = 0;  // nothing below it is left to purge
  // The first that the pass going on had to leave; nothing: none is going on.
  std::optional<uint64_t> purge_kept_ ABSL_GUARDED_BY(write_mutex_);
  // Of the commit going on; kept to spare allocations.
  rocksdb::WriteBatch batch_ ABSL_GUARDED_BY(write_mutex_);
  std::string scratch_ ABSL_GUARDED_BY(write_mutex_);
  std::vector<Change> changes_ ABSL_GUARDED_BY(write_mutex_);
  std::vector<uint32_t> change_of_save_ ABSL_GUARDED_BY(write_mutex_);
  absl::flat_hash_map<std::string_view, uint32_t> change_of_gid_ ABSL_GUARDED_BY(write_mutex_);

  absl::Mutex index_mutex_;
  UnfinishedIndex unfinished_ ABSL_GUARDED_BY(index_mutex_);

  mutable absl::Mutex failure_mutex_;
  Failure failure_ ABSL_GUARDED_BY(failure_mutex_) = Failure::kNone;
  Status failure_status_ ABSL_GUARDED_BY(failure_mutex_);
  bool closing_ ABSL_GUARDED_BY(failure_mutex_) = false;
  std::thread recovery_;
};

}  // namespace troth
