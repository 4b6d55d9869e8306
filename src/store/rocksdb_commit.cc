#include <rocksdb/write_batch.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

namespace {

// A batch that grew beyond this is given back instead of kept for the next.
constexpr size_t kBatchBytesKept = 8 << 20;

std::vector<SaveOutcome> AllUnknown(size_t saves, const Status& why) {
  return std::vector<SaveOutcome>(
      saves, SaveOutcome{.result = SaveResult::kUnknown, .error = std::string(Message(why))});
}

}  // namespace

// Decides in memory, in order; then one write and one sync for everything.
std::vector<SaveOutcome> RocksDbStore::Commit(std::span<const SaveRecord> saves) {
  absl::MutexLock lock(&write_mutex_);
  if (const Status health = Health(); !health.ok()) return AllUnknown(saves.size(), health);
  ClearBatch();
  if (const Status found = FindChanges(saves); !found.ok()) {
    return AllUnknown(saves.size(), found);
  }
  std::vector<SaveOutcome> outcomes(saves.size());
  for (size_t i = 0; i < saves.size(); ++i) {
    outcomes[i].result = Apply(saves[i], changes_[change_of_save_[i]]);
  }
  for (const Change& change : changes_) {
    if (change.newest != nullptr) PutRow(change);
  }
  if (batch_.Count() == 0) return outcomes;
  if (const Status written = Write(batch_, Sync::kYes); !written.ok()) {
    return AllUnknown(saves.size(), written);
  }
  RememberChanges();
  return outcomes;
}

void RocksDbStore::ClearBatch() {
  if (batch_.GetDataSize() > kBatchBytesKept) {
    batch_ = rocksdb::WriteBatch();
  } else {
    batch_.Clear();
  }
}

// One Change for each gid of the batch, as the store has it now.
Status RocksDbStore::FindChanges(std::span<const SaveRecord> saves) {
  changes_.clear();
  change_of_gid_.clear();
  change_of_save_.clear();
  std::vector<uint32_t> first_saves;  // of gids that are not in memory
  {
    absl::MutexLock lock(&index_mutex_);
    for (uint32_t i = 0; i < saves.size(); ++i) {
      const auto next = static_cast<uint32_t>(changes_.size());
      const auto [known, is_new] = change_of_gid_.try_emplace(saves[i].gid, next);
      change_of_save_.push_back(known->second);
      if (!is_new) continue;
      Change& change = changes_.emplace_back();
      change.entry = unfinished_.Find(saves[i].gid);
      if (change.entry == nullptr) {
        first_saves.push_back(i);
        continue;
      }
      change.exists = true;
      change.has_parts = change.entry->has_parts;
      change.sequence = change.entry->sequence;
      change.version = change.entry->version;
    }
  }
  return first_saves.empty() ? OkStatus() : FindFinished(first_saves, saves);
}

// Asks the disk for the gids of `first_saves`; the filters in memory nearly always say no.
Status RocksDbStore::FindFinished(std::span<const uint32_t> first_saves,
                                  std::span<const SaveRecord> saves) {
  const size_t count = first_saves.size();
  std::vector<rocksdb::Slice> gids;
  gids.reserve(count);
  for (const uint32_t i : first_saves) gids.push_back(ToSlice(saves[i].gid));
  std::vector<rocksdb::PinnableSlice> values(count);
  std::vector<rocksdb::Status> statuses(count);
  rocksdb::ReadOptions read;
  read.fill_cache = false;  // what is read here was a filter's mistake, and is not asked for again
  db_->MultiGet(read, family(kGids), count, gids.data(), values.data(), statuses.data());
  for (size_t i = 0; i < count; ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return ReadError(statuses[i]);
    TROTH_RETURN_IF_ERROR(
        ReadFinished(SequenceOf(ToView(values[i])), changes_[change_of_save_[first_saves[i]]]));
  }
  return OkStatus();
}

Status RocksDbStore::ReadFinished(uint64_t sequence, Change& change) {
  std::string bytes;
  Row row;
  TROTH_ASSIGN_OR_RETURN(const bool found, ReadRow({}, sequence, &bytes, &row));
  if (!found) return DamagedRow(sequence);
  change.exists = true;
  change.finished_in = RowFamily(row.index.status);
  change.has_parts = row.has_parts;
  change.sequence = sequence;
  change.version = row.version;
  return OkStatus();
}

SaveResult RocksDbStore::Apply(const SaveRecord& save, Change& change) {
  if (save.expected_version != change.version || change.exists != (save.expected_version != 0)) {
    return SaveResult::kConflict;
  }
  if (change.exists) {
    PutParts(save, change);
  } else {
    Create(save, change);
  }
  change.version = save.version;
  change.newest = &save;
  return SaveResult::kStored;
}

void RocksDbStore::Create(const SaveRecord& save, Change& change) {
  change.exists = change.is_new = true;
  change.sequence = NextSequence(save.index.create_time);
  const SequenceKey key(change.sequence);
  batch_.Put(family(kGids), ToSlice(save.gid), ToSlice(key.view()));

  scratch_.clear();
  AppendFixedSize(scratch_, save.fixed.size());
  const rocksdb::Slice name = ToSlice(key.view());
  const rocksdb::Slice pieces[] = {scratch_, save.fixed, save.page};
  batch_.Put(family(kDocuments), rocksdb::SliceParts(&name, 1), rocksdb::SliceParts(pieces, 3));
}

void RocksDbStore::PutParts(const SaveRecord& save, Change& change) {
  if (!save.fixed.empty()) {
    const SequenceKey key(change.sequence, kFixedPartNumber);
    batch_.Put(family(kDocuments), ToSlice(key.view()), save.fixed);
    change.has_parts = true;
  }
  if (!save.page.empty()) {
    const SequenceKey key(change.sequence, save.page_number);
    batch_.Put(family(kDocuments), ToSlice(key.view()), save.page);
    change.has_parts = true;
  }
}

// Only the newest of a gid's saves leaves a row.
void RocksDbStore::PutRow(const Change& change) {
  const SaveRecord& save = *change.newest;
  scratch_.clear();
  AppendRow(scratch_,
            change.sequence,
            {.version = save.version,
             .index = save.index,
             .has_parts = change.has_parts,
             .gid = save.gid,
             .state = save.state});
  const SequenceKey key(change.sequence);
  const rocksdb::Slice name = ToSlice(key.view());
  const Family target = RowFamily(save.index.status);
  batch_.Put(family(target), name, scratch_);
  if (change.finished_in && *change.finished_in != target) {
    batch_.Delete(family(*change.finished_in), name);
  }
  if (change.entry == nullptr || target == kActive) return;
  // A row put exactly once may vanish together with its deletion, before either reaches the disk.
  if (change.entry->written_once) {
    batch_.SingleDelete(family(kActive), name);
  } else {
    batch_.Delete(family(kActive), name);
  }
}

uint64_t RocksDbStore::NextSequence(TimePoint create_time) {
  const auto micros = static_cast<uint64_t>(std::max<int64_t>(ToMicros(create_time), 0));
  last_sequence_ = std::max(last_sequence_ + 1, micros);
  const uint64_t lead = last_sequence_ - micros;
  if (lead > lead_) {
    lead_ = std::bit_ceil(lead);
    scratch_.clear();
    AppendNumber(scratch_, lead_);
    batch_.Put(family(kDefault), ToSlice(kLeadKey), scratch_);
  }
  return last_sequence_;
}

void RocksDbStore::RememberChanges() {
  absl::MutexLock lock(&index_mutex_);
  for (const Change& change : changes_) {
    if (change.newest == nullptr) continue;
    const SaveRecord& save = *change.newest;
    if (IsFinal(save.index.status)) {
      if (change.entry != nullptr) unfinished_.Remove(change.entry);
    } else if (change.entry != nullptr) {
      change.entry->version = save.version;
      change.entry->has_parts = change.has_parts;
      change.entry->written_once = false;
      unfinished_.SetStatus(change.entry, save.index.status);
      unfinished_.SetDue(change.entry, save.index.due);
    } else {
      unfinished_.Add({.gid = save.gid,
                       .sequence = change.sequence,
                       .version = save.version,
                       .status = save.index.status,
                       .due = save.index.due,
                       .has_parts = change.has_parts,
                       .written_once = change.is_new});
    }
  }
}

}  // namespace troth
