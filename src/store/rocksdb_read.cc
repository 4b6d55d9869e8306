#include <rocksdb/snapshot.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

StatusOr<std::optional<StoredRecord>> RocksDbStore::Load(std::string_view gid) {
  uint64_t sequence = 0;
  {
    absl::MutexLock lock(&index_mutex_);
    if (const Entry* entry = unfinished_.Find(gid)) sequence = entry->sequence;
  }
  rocksdb::ManagedSnapshot snapshot(db_.get());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  if (sequence == 0) {
    rocksdb::PinnableSlice value;
    const rocksdb::Status found = db_->Get(read, family(kGids), ToSlice(gid), &value);
    if (found.IsNotFound()) return std::nullopt;
    if (!found.ok()) return ReadError(found);
    sequence = SequenceOf(ToView(value));
  }
  return LoadSequence(read, sequence);
}

StatusOr<std::optional<StoredRecord>> RocksDbStore::LoadSequence(const rocksdb::ReadOptions& read,
                                                                 uint64_t sequence) {
  std::string bytes;
  Row row;
  TROTH_ASSIGN_OR_RETURN(const bool found, ReadRow(read, sequence, &bytes, &row));
  if (!found) return std::nullopt;
  TROTH_ASSIGN_OR_RETURN(StoredRecord record, ReadRecord(read, sequence, row));
  return record;
}

StatusOr<bool> RocksDbStore::ReadRow(const rocksdb::ReadOptions& read,
                                     uint64_t sequence,
                                     std::string* bytes,
                                     Row* row) {
  for (const Family rows : {kActive, kSucceeded, kFailed}) {
    TROTH_ASSIGN_OR_RETURN(const bool found, ReadRowIn(rows, read, sequence, bytes, row));
    if (found) return true;
  }
  return false;
}

StatusOr<bool> RocksDbStore::ReadRowIn(Family rows,
                                       const rocksdb::ReadOptions& read,
                                       uint64_t sequence,
                                       std::string* bytes,
                                       Row* row) {
  const SequenceKey key(sequence);
  const rocksdb::Status found = db_->Get(read, family(rows), ToSlice(key.view()), bytes);
  if (found.IsNotFound()) return false;
  if (!found.ok()) return ReadError(found);
  if (!DecodeRow(sequence, *bytes, row)) return DamagedRow(sequence);
  return true;
}

StatusOr<StoredRecord> RocksDbStore::ReadRecord(const rocksdb::ReadOptions& read,
                                                uint64_t sequence,
                                                const Row& row) {
  rocksdb::PinnableSlice document;
  const SequenceKey key(sequence);
  const rocksdb::Status found = db_->Get(read, family(kDocuments), ToSlice(key.view()), &document);
  if (found.IsNotFound()) return DamagedRow(sequence);
  if (!found.ok()) return ReadError(found);
  std::string_view fixed, page;
  if (!SplitDocument(ToView(document), &fixed, &page)) return DamagedRow(sequence);

  StoredRecord record{.gid = std::string(row.gid),
                      .version = row.version,
                      .fixed = std::string(fixed),
                      .pages = {},
                      .state = std::string(row.state)};
  if (!page.empty()) record.pages.emplace_back(page);
  if (row.due_was_reset) record.due = row.index.due;
  if (row.has_parts) TROTH_RETURN_IF_ERROR(ReadParts(read, sequence, &record));
  return record;
}

Status RocksDbStore::ReadParts(const rocksdb::ReadOptions& read,
                               uint64_t sequence,
                               StoredRecord* record) {
  const SequenceKey first(sequence, 0), end(sequence + 1);
  const rocksdb::Slice bound = ToSlice(end.view());
  rocksdb::ReadOptions bounded = read;
  bounded.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> parts(db_->NewIterator(bounded, family(kDocuments)));
  for (parts->Seek(ToSlice(first.view())); parts->Valid(); parts->Next()) {
    uint32_t number = 0;
    if (!HasPartNumber(ToView(parts->key()), &number)) return DamagedRow(sequence);
    if (number == kFixedPartNumber) {
      record->fixed = ToView(parts->value());
    } else {
      record->pages.emplace_back(ToView(parts->value()));
    }
  }
  return parts->status().ok() ? OkStatus() : ReadError(parts->status());
}

// Leases live in memory: after a restart nobody holds one.
StatusOr<std::vector<StoredRecord>> RocksDbStore::ClaimDue(TimePoint now,
                                                           TimePoint lease_until,
                                                           size_t limit) {
  std::vector<uint64_t> sequences;
  {
    absl::MutexLock lock(&index_mutex_);
    for (const Entry* entry : unfinished_.Claim(now, lease_until, limit)) {
      sequences.push_back(entry->sequence);
    }
  }
  std::vector<StoredRecord> records;
  if (sequences.empty()) return records;
  records.reserve(sequences.size());
  rocksdb::ManagedSnapshot snapshot(db_.get());
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  for (const uint64_t sequence : sequences) {
    auto record = LoadSequence(read, sequence);
    if (!record.ok()) {
      // One damaged record must not keep the others waiting; it is tried again after its lease.
      LogError("cannot read a due transaction", {{"error", record.status()}});
    } else if (record->has_value()) {
      records.push_back(**std::move(record));
    }
  }
  return records;
}

std::optional<TimePoint> RocksDbStore::NextDue() {
  absl::MutexLock lock(&index_mutex_);
  return unfinished_.NextDue();
}

std::optional<TimePoint> RocksDbStore::OldestCreation() {
  absl::MutexLock lock(&index_mutex_);
  const std::optional<uint64_t> sequence = unfinished_.Oldest();
  if (!sequence) return std::nullopt;
  return FromMicros(static_cast<int64_t>(*sequence));
}

uint64_t RocksDbStore::Unfinished() {
  absl::MutexLock lock(&index_mutex_);
  return unfinished_.size();
}

StatusOr<ResetCount> RocksDbStore::ResetDue(TimePoint now, TimePoint after, size_t limit) {
  after = std::max(after, now);  // the others are due already
  absl::MutexLock lock(&write_mutex_);
  TROTH_RETURN_IF_ERROR(Health());
  std::vector<Entry*> entries;
  {
    absl::MutexLock index_lock(&index_mutex_);
    entries = unfinished_.DueLaterThan(after, limit);
  }
  ClearBatch();
  for (const Entry* entry : entries) {
    std::string bytes;
    Row row;
    TROTH_ASSIGN_OR_RETURN(const bool found, ReadRow({}, entry->sequence, &bytes, &row));
    if (!found) return DamagedRow(entry->sequence);
    row.index.due = now;
    row.index.leased = false;
    row.due_was_reset = true;
    scratch_.clear();
    AppendRow(scratch_, entry->sequence, row);
    const SequenceKey key(entry->sequence);
    batch_.Put(family(kActive), ToSlice(key.view()), scratch_);
  }
  if (!entries.empty()) TROTH_RETURN_IF_ERROR(Write(batch_, Sync::kYes));
  absl::MutexLock index_lock(&index_mutex_);
  for (Entry* entry : entries) {
    entry->written_once = false;
    unfinished_.SetDue(entry, now);
  }
  return ResetCount{.changed = entries.size(), .more = unfinished_.AnyDueLaterThan(after)};
}

}  // namespace troth
