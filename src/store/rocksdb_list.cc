#include <rocksdb/snapshot.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "store/list_filter.h"
#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

namespace {

// Rows of both families as one list, newest first.
class RowsNewestFirst {
 public:
  // Either may be nullptr: not wanted.
  RowsNewestFirst(std::unique_ptr<rocksdb::Iterator> active,
                  std::unique_ptr<rocksdb::Iterator> finished)
      : sources_{std::move(active), std::move(finished)} {}

  void SeekBelow(uint64_t sequence) {
    if (sequence == 0) return;
    const SequenceKey key(sequence - 1);
    for (auto& source : sources_) {
      if (source != nullptr) source->SeekForPrev(ToSlice(key.view()));
    }
    PickNewest();
  }
  void Next() {
    newest_->Prev();
    PickNewest();
  }
  bool Valid() const { return newest_ != nullptr; }
  uint64_t sequence() const { return SequenceOf(ToView(newest_->key())); }
  std::string_view bytes() const { return ToView(newest_->value()); }
  rocksdb::Status status() const {
    for (const auto& source : sources_) {
      if (source != nullptr && !source->status().ok()) return source->status();
    }
    return rocksdb::Status::OK();
  }

 private:
  void PickNewest() {
    newest_ = nullptr;
    for (const auto& source : sources_) {
      if (source == nullptr || !source->Valid()) continue;
      if (newest_ == nullptr || source->key().compare(newest_->key()) > 0) newest_ = source.get();
    }
  }

  std::array<std::unique_ptr<rocksdb::Iterator>, 2> sources_;
  rocksdb::Iterator* newest_ = nullptr;
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
  TROTH_ASSIGN_OR_RETURN(const uint64_t below, ParseListPosition(filter.position));
  rocksdb::ManagedSnapshot snapshot(db_.get());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  const auto rows_of = [&](Family rows_family, bool wanted) {
    return std::unique_ptr<rocksdb::Iterator>(wanted ? db_->NewIterator(read, family(rows_family))
                                                     : nullptr);
  };
  RowsNewestFirst rows(rows_of(kActive, !filter.status || !IsFinal(*filter.status)),
                       rows_of(kFinished, !filter.status || IsFinal(*filter.status)));

  const uint64_t first = FirstSequence(filter);
  ListPage page;
  size_t looked_at = 0;
  for (rows.SeekBelow(std::min(below, EndSequence(filter, lead_))); rows.Valid(); rows.Next()) {
    const uint64_t sequence = rows.sequence();
    if (sequence < first) break;
    Row row;
    if (!DecodeRow(sequence, rows.bytes(), &row)) return DamagedRow(sequence);
    if (Matches(filter, row.index)) {
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

}  // namespace troth
