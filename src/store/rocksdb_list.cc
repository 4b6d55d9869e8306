#include <rocksdb/snapshot.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "store/list_filter.h"
#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

namespace {

// Walks sequences downwards in several sources: those of the unfinished transactions, taken from
// memory, and the rows of finished ones.
class NewestFirst {
 public:
  explicit NewestFirst(std::vector<uint64_t> active) : active_(std::move(active)) { PickNewest(); }

  // Adds the rows below `sequence`.
  void AddRows(std::unique_ptr<rocksdb::Iterator> rows, uint64_t below) {
    const SequenceKey key(below - 1);
    rows->SeekForPrev(ToSlice(key.view()));
    rows_.push_back(std::move(rows));
    PickNewest();
  }
  void Next() {
    newest_ == nullptr ? static_cast<void>(++next_active_) : newest_->Prev();
    PickNewest();
  }
  bool Valid() const { return newest_ != nullptr || next_active_ < active_.size(); }
  uint64_t sequence() const {
    return newest_ != nullptr ? SequenceOf(ToView(newest_->key())) : active_[next_active_];
  }
  // The row, or nothing for an unfinished transaction: its row is to be read.
  std::optional<std::string_view> bytes() const {
    if (newest_ == nullptr) return std::nullopt;
    return ToView(newest_->value());
  }
  rocksdb::Status status() const {
    for (const auto& rows : rows_) {
      if (!rows->status().ok()) return rows->status();
    }
    return rocksdb::Status::OK();
  }

 private:
  void PickNewest() {
    newest_ = nullptr;
    uint64_t highest = next_active_ < active_.size() ? active_[next_active_] : 0;
    for (const auto& rows : rows_) {
      if (!rows->Valid()) continue;
      const uint64_t sequence = SequenceOf(ToView(rows->key()));
      if (sequence <= highest) continue;
      highest = sequence;
      newest_ = rows.get();
    }
  }

  const std::vector<uint64_t> active_;
  size_t next_active_ = 0;
  std::vector<std::unique_ptr<rocksdb::Iterator>> rows_;
  rocksdb::Iterator* newest_ = nullptr;  // nullptr: an unfinished one is, or none is left
};

// A sequence is never below its creation time and at most `lead` above it.
uint64_t FirstSequence(const ListFilter& filter) {
  if (!filter.created_from) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(ToMicros(*filter.created_from), 0));
}
uint64_t EndSequence(const ListFilter& filter, uint64_t lead) {
  if (!filter.created_to) return UINT64_MAX;
  if (ToMicros(*filter.created_to) < 0) return 0;
  const auto to = static_cast<uint64_t>(ToMicros(*filter.created_to));
  return lead >= UINT64_MAX - to ? UINT64_MAX : to + lead + 1;
}

}  // namespace

StatusOr<ListPage> RocksDbStore::List(const ListFilter& filter) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t position, ParseListPosition(filter.position));
  const uint64_t below = std::min(position, EndSequence(filter, lead_));
  ListPage page;
  if (below == 0) return page;
  // Before the snapshot: who ends in between is then found among the finished.
  NewestFirst rows(UnfinishedBelow(below, filter.status));
  rocksdb::ManagedSnapshot snapshot(db_.get());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  for (const TransStatus status : {TransStatus::kSucceeded, TransStatus::kFailed}) {
    if (filter.status && *filter.status != status) continue;
    rows.AddRows(
        std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(read, family(RowFamily(status)))),
        below);
  }

  const uint64_t first = FirstSequence(filter);
  std::string active_bytes;
  for (size_t looked_at = 0; rows.Valid() && rows.sequence() >= first; rows.Next()) {
    const uint64_t sequence = rows.sequence();
    Row row;
    bool found = true;  // unless it has ended since it was found in memory
    if (const auto bytes = rows.bytes()) {
      if (!DecodeRow(sequence, *bytes, &row)) return DamagedRow(sequence);
    } else {
      TROTH_ASSIGN_OR_RETURN(found, ReadRowIn(kActive, read, sequence, &active_bytes, &row));
    }
    if (found && Matches(filter, row.index)) {
      TROTH_ASSIGN_OR_RETURN(StoredRecord record, ReadRecord(read, sequence, row));
      page.records.push_back(std::move(record));
    }
    if (page.records.size() >= filter.limit || ++looked_at >= options_.list_scan_max) {
      page.next_position = MakeListPosition(sequence);
      break;
    }
  }
  if (!rows.status().ok()) return ReadError(rows.status());
  return page;
}

std::vector<uint64_t> RocksDbStore::UnfinishedBelow(uint64_t below,
                                                    std::optional<TransStatus> status) {
  absl::MutexLock lock(&index_mutex_);
  return unfinished_.NewestBelow(below, status, options_.list_scan_max);
}

}  // namespace troth
