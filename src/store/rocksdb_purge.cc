#include <algorithm>
#include <memory>

#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

namespace {

// Saves wait while a step runs: 500 removals take about a millisecond.
constexpr uint64_t kStepRemovalsMax = 500;
constexpr uint64_t kStepRowsMax = 2000;

// Removes finished transactions from a batch's point of view: neighbours go as one range.
class Remover {
 public:
  Remover(rocksdb::WriteBatch& batch,
          rocksdb::ColumnFamilyHandle* gids,
          rocksdb::ColumnFamilyHandle* documents,
          rocksdb::ColumnFamilyHandle* finished,
          std::unique_ptr<rocksdb::Iterator> active)
      : batch_(batch),
        gids_(gids),
        documents_(documents),
        finished_(finished),
        active_(std::move(active)) {}

  // In ascending order of sequence.
  void Remove(uint64_t sequence, std::string_view gid) {
    if (open_ && UnfinishedBetween(last_, sequence)) EndRange();
    if (!open_) first_ = sequence;
    open_ = true;
    last_ = sequence;
    batch_.Delete(gids_, ToSlice(gid));
    ++removed_;
  }
  // A record in between stays.
  void EndRange() {
    if (!open_) return;
    open_ = false;
    const SequenceKey first(first_), end(last_ + 1);
    batch_.DeleteRange(documents_, ToSlice(first.view()), ToSlice(end.view()));
    if (first_ == last_) {
      batch_.Delete(finished_, ToSlice(first.view()));
    } else {
      batch_.DeleteRange(finished_, ToSlice(first.view()), ToSlice(end.view()));
    }
  }
  uint64_t removed() const { return removed_; }

 private:
  bool UnfinishedBetween(uint64_t after, uint64_t before) {
    const SequenceKey key(after);
    if (!active_->Valid() || SequenceOf(ToView(active_->key())) < after) {
      active_->Seek(ToSlice(key.view()));
    }
    return active_->Valid() && SequenceOf(ToView(active_->key())) < before;
  }

  rocksdb::WriteBatch& batch_;
  rocksdb::ColumnFamilyHandle* gids_;
  rocksdb::ColumnFamilyHandle* documents_;
  rocksdb::ColumnFamilyHandle* finished_;
  std::unique_ptr<rocksdb::Iterator> active_;
  bool open_ = false;
  uint64_t first_ = 0, last_ = 0;
  uint64_t removed_ = 0;
};

}  // namespace

StatusOr<uint64_t> RocksDbStore::Purge(TimePoint before, size_t limit) {
  uint64_t removed = 0;
  while (removed < limit) {
    TROTH_ASSIGN_OR_RETURN(const PurgeStep step,
                           PurgeSome(before, std::min(limit - removed, kStepRemovalsMax)));
    removed += step.removed;
    if (step.done) break;
  }
  return removed;
}

// Goes on where the last step ended. When a pass has seen all that can have ended before `before`,
// the next begins at the oldest record it had to keep. No sync: what a crash brings back is removed
// again.
StatusOr<RocksDbStore::PurgeStep> RocksDbStore::PurgeSome(TimePoint before, uint64_t limit) {
  absl::MutexLock lock(&write_mutex_);
  TROTH_RETURN_IF_ERROR(Health());
  ClearBatch();
  Remover remover(batch_,
                  family(kGids),
                  family(kDocuments),
                  family(kFinished),
                  std::unique_ptr<rocksdb::Iterator>(db_->NewIterator({}, family(kActive))));
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, family(kFinished)));
  // Who was created at `before` or later has not ended before.
  const uint64_t end = static_cast<uint64_t>(std::max<int64_t>(ToMicros(before), 0)) + lead_;
  const SequenceKey from(purge_from_);
  PurgeStep step;
  uint64_t looked_at = 0;
  for (rows->Seek(ToSlice(from.view()));; rows->Next()) {
    step.done = !rows->Valid() || SequenceOf(ToView(rows->key())) >= end;
    if (step.done || remover.removed() == limit || ++looked_at > kStepRowsMax) break;
    const uint64_t sequence = SequenceOf(ToView(rows->key()));
    Row row;
    if (!DecodeRow(sequence, ToView(rows->value()), &row)) return DamagedRow(sequence);
    if (row.index.update_time < before) {
      remover.Remove(sequence, row.gid);
    } else {
      remover.EndRange();
      purge_kept_ = std::min(purge_kept_, sequence);
    }
    purge_from_ = sequence + 1;
  }
  if (!rows->status().ok()) return ReadError(rows->status());
  remover.EndRange();
  step.removed = remover.removed();
  if (step.removed != 0) TROTH_RETURN_IF_ERROR(Write(batch_, Sync::kNo));
  if (step.done) purge_from_ = std::min(purge_from_, std::exchange(purge_kept_, UINT64_MAX));
  return step;
}

}  // namespace troth
