#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

namespace {

// Saves wait while a step runs: 1000 removals take two or three milliseconds. Fewer would not keep
// up with a busy server, which commits some hundred transactions between two steps.
constexpr uint64_t kStepRemovalsMax = 1000;
constexpr uint64_t kStepRowsMax = 4000;

// Rows of finished transactions, oldest first.
class OldestFirst {
 public:
  OldestFirst(std::unique_ptr<rocksdb::Iterator> succeeded,
              std::unique_ptr<rocksdb::Iterator> failed,
              uint64_t from)
      : rows_{std::move(succeeded), std::move(failed)} {
    const SequenceKey key(from);
    for (const auto& rows : rows_) rows->Seek(ToSlice(key.view()));
    PickOldest();
  }

  void Next() {
    oldest_->Next();
    PickOldest();
  }
  bool Valid() const { return oldest_ != nullptr; }
  uint64_t sequence() const { return SequenceOf(ToView(oldest_->key())); }
  std::string_view bytes() const { return ToView(oldest_->value()); }
  rocksdb::Status status() const {
    return rows_[0]->status().ok() ? rows_[1]->status() : rows_[0]->status();
  }

 private:
  void PickOldest() {
    oldest_ = nullptr;
    for (const auto& rows : rows_) {
      if (!rows->Valid()) continue;
      if (oldest_ == nullptr || rows->key().compare(oldest_->key()) < 0) oldest_ = rows.get();
    }
  }

  const std::array<std::unique_ptr<rocksdb::Iterator>, 2> rows_;
  rocksdb::Iterator* oldest_ = nullptr;
};

// Fills a batch with removals: neighbours with no unfinished transaction between them go as one
// range of each family.
class Remover {
 public:
  using UnfinishedBetween = std::function<bool(uint64_t after, uint64_t before)>;
  struct Families {
    rocksdb::ColumnFamilyHandle* gids;
    rocksdb::ColumnFamilyHandle* documents;
    rocksdb::ColumnFamilyHandle* succeeded;
    rocksdb::ColumnFamilyHandle* failed;
  };

  Remover(rocksdb::WriteBatch& batch, const Families& families, UnfinishedBetween between)
      : batch_(batch), families_(families), unfinished_between_(std::move(between)) {}

  // In ascending order of sequence.
  void Remove(uint64_t sequence, const Row& row) {
    if (count_ != 0 && unfinished_between_(last_, sequence)) EndRange();
    if (count_++ == 0) first_ = sequence;
    last_ = sequence;
    any_succeeded_ |= row.index.status == TransStatus::kSucceeded;
    any_failed_ |= row.index.status == TransStatus::kFailed;
    has_parts_ |= row.has_parts;
    batch_.Delete(families_.gids, ToSlice(row.gid));
    ++removed_;
  }
  // A record in between stays.
  void EndRange() {
    if (count_ == 0) return;
    DeleteAll(families_.documents, has_parts_);
    if (any_succeeded_) DeleteAll(families_.succeeded, false);
    if (any_failed_) DeleteAll(families_.failed, false);
    count_ = 0;
    any_succeeded_ = any_failed_ = has_parts_ = false;
  }
  uint64_t removed() const { return removed_; }

 private:
  // A single key needs no range, and ranges cost readers more.
  void DeleteAll(rocksdb::ColumnFamilyHandle* family, bool longer_keys) {
    const SequenceKey first(first_), end(last_ + 1);
    if (count_ == 1 && !longer_keys) {
      batch_.Delete(family, ToSlice(first.view()));
    } else {
      batch_.DeleteRange(family, ToSlice(first.view()), ToSlice(end.view()));
    }
  }

  rocksdb::WriteBatch& batch_;
  const Families families_;
  const UnfinishedBetween unfinished_between_;
  uint64_t removed_ = 0;
  // The range that is open.
  uint64_t count_ = 0, first_ = 0, last_ = 0;
  bool any_succeeded_ = false, any_failed_ = false, has_parts_ = false;
};

}  // namespace

// Between steps it leaves the lock free for as long as it held it: a mutex is not fair, and saves
// must not queue behind step after step.
StatusOr<uint64_t> RocksDbStore::Purge(TimePoint before, size_t limit) {
  uint64_t removed = 0;
  while (removed < limit) {
    TROTH_ASSIGN_OR_RETURN(const PurgeStep step,
                           PurgeSome(before, std::min(limit - removed, kStepRemovalsMax)));
    removed += step.removed;
    if (step.done) break;
    absl::SleepFor(step.took);
  }
  return removed;
}

// Goes on where the last step ended. When a pass has seen all that can have ended before `before`,
// the next begins at the oldest record it had to keep, because it was unfinished when the pass
// began or ended too late. No sync: what a crash brings back is removed again.
StatusOr<RocksDbStore::PurgeStep> RocksDbStore::PurgeSome(TimePoint before, uint64_t limit) {
  absl::MutexLock lock(&write_mutex_);
  const absl::Time start = absl::Now();
  TROTH_RETURN_IF_ERROR(Health());
  if (!purge_kept_) purge_kept_ = OldestUnfinished();
  ClearBatch();
  Remover remover(
      batch_,
      {family(kGids), family(kDocuments), family(kSucceeded), family(kFailed)},
      [this](uint64_t after, uint64_t until) { return AnyUnfinishedBetween(after, until); });
  const auto rows_of = [this](Family rows) {
    return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator({}, family(rows)));
  };
  OldestFirst rows(rows_of(kSucceeded), rows_of(kFailed), purge_from_);
  // Who was created at `before` or later has not ended before.
  const uint64_t end = static_cast<uint64_t>(std::max<int64_t>(ToMicros(before), 0)) + lead_;
  PurgeStep step;
  for (uint64_t looked_at = 0;; rows.Next()) {
    step.done = !rows.Valid() || rows.sequence() >= end;
    if (step.done || remover.removed() == limit || ++looked_at > kStepRowsMax) break;
    const uint64_t sequence = rows.sequence();
    Row row;
    if (!DecodeRow(sequence, rows.bytes(), &row)) return DamagedRow(sequence);
    if (row.index.update_time < before) {
      remover.Remove(sequence, row);
    } else {
      remover.EndRange();
      purge_kept_ = std::min(*purge_kept_, sequence);
    }
    purge_from_ = sequence + 1;
  }
  if (!rows.status().ok()) return ReadError(rows.status());
  remover.EndRange();
  step.removed = remover.removed();
  if (step.removed != 0) TROTH_RETURN_IF_ERROR(Write(batch_, Sync::kNo));
  if (step.done) {
    purge_from_ = std::min(purge_from_, *purge_kept_);
    purge_kept_.reset();
  }
  step.took = absl::Now() - start;
  return step;
}

bool RocksDbStore::AnyUnfinishedBetween(uint64_t after, uint64_t before) {
  absl::MutexLock lock(&index_mutex_);
  return unfinished_.AnyBetween(after, before);
}

uint64_t RocksDbStore::OldestUnfinished() {
  absl::MutexLock lock(&index_mutex_);
  return unfinished_.Oldest().value_or(UINT64_MAX);
}

}  // namespace troth
