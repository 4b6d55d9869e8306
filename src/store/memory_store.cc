#include "store/memory_store.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "store/list_filter.h"

namespace troth {

std::vector<SaveOutcome> MemoryStore::Commit(std::span<const SaveRecord> saves) {
  absl::MutexLock lock(&mutex_);
  std::vector<SaveOutcome> outcomes(saves.size());
  for (size_t i = 0; i < saves.size(); ++i) outcomes[i].result = CommitOne(saves[i]);
  return outcomes;
}

SaveResult MemoryStore::CommitOne(const SaveRecord& save) {
  const auto known = sequences_.find(save.gid);
  uint64_t sequence = 0;
  if (known == sequences_.end()) {
    if (save.expected_version != 0) return SaveResult::kConflict;
    const auto micros = std::max<int64_t>(0, ToMicros(save.index.create_time));
    sequence = last_sequence_ = std::max(last_sequence_ + 1, static_cast<uint64_t>(micros));
    sequences_.emplace(save.gid, sequence);
    rows_[sequence].record.gid = save.gid;
  } else {
    sequence = known->second;
    if (rows_[sequence].record.version != save.expected_version) return SaveResult::kConflict;
  }
  Row& row = rows_[sequence];
  row.index = save.index;
  row.record.version = save.version;
  row.record.state = save.state;
  row.record.due.reset();
  if (!save.fixed.empty()) row.record.fixed = save.fixed;
  if (!save.page.empty()) row.record.pages.push_back(save.page);
  UpdateDue(save, sequence);
  return SaveResult::kStored;
}

void MemoryStore::UpdateDue(const SaveRecord& save, uint64_t sequence) {
  UnfinishedIndex::Entry* entry = unfinished_.Find(save.gid);
  if (IsFinal(save.index.status)) {
    if (entry != nullptr) unfinished_.Remove(entry);
  } else if (entry == nullptr) {
    unfinished_.Add(
        {.gid = save.gid, .sequence = sequence, .version = save.version, .due = save.index.due});
  } else {
    entry->version = save.version;
    unfinished_.SetDue(entry, save.index.due);
  }
}

StatusOr<std::optional<StoredRecord>> MemoryStore::Load(std::string_view gid) {
  absl::MutexLock lock(&mutex_);
  const auto found = sequences_.find(gid);
  if (found == sequences_.end()) return std::nullopt;
  return rows_.at(found->second).record;
}

StatusOr<std::vector<StoredRecord>> MemoryStore::ClaimDue(TimePoint now,
                                                          TimePoint lease_until,
                                                          size_t limit) {
  absl::MutexLock lock(&mutex_);
  std::vector<StoredRecord> records;
  for (const UnfinishedIndex::Entry* entry : unfinished_.Claim(now, lease_until, limit)) {
    records.push_back(rows_.at(entry->sequence).record);
  }
  return records;
}

std::optional<TimePoint> MemoryStore::NextDue() {
  absl::MutexLock lock(&mutex_);
  return unfinished_.NextDue();
}

StatusOr<ListPage> MemoryStore::List(const ListFilter& filter) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t below, ParseListPosition(filter.position));
  absl::MutexLock lock(&mutex_);
  ListPage page;
  auto it = std::make_reverse_iterator(rows_.lower_bound(below));
  for (; it != rows_.rend() && page.records.size() < filter.limit; ++it) {
    if (!Matches(filter, it->second.index)) continue;
    page.records.push_back(it->second.record);
    page.next_position = MakeListPosition(it->first);
  }
  if (it == rows_.rend()) page.next_position.clear();
  return page;
}

StatusOr<ResetCount> MemoryStore::ResetDue(TimePoint now, TimePoint after, size_t limit) {
  absl::MutexLock lock(&mutex_);
  after = std::max(after, now);  // the others are due already
  const auto entries = unfinished_.DueLaterThan(after, limit);
  for (UnfinishedIndex::Entry* entry : entries) {
    Row& row = rows_.at(entry->sequence);
    row.index.due = now;
    row.record.due = now;
    unfinished_.SetDue(entry, now);
  }
  return ResetCount{.changed = entries.size(), .more = unfinished_.AnyDueLaterThan(after)};
}

StatusOr<uint64_t> MemoryStore::Purge(TimePoint before, size_t limit) {
  absl::MutexLock lock(&mutex_);
  uint64_t removed = 0;
  for (auto it = rows_.begin(); it != rows_.end() && removed < limit;) {
    const RecordIndex& index = it->second.index;
    if (!IsFinal(index.status) || index.update_time >= before) {
      ++it;
      continue;
    }
    sequences_.erase(it->second.record.gid);
    it = rows_.erase(it);
    ++removed;
  }
  return removed;
}

StatusOr<std::vector<KvRecord>> MemoryStore::FindKv(std::string_view category,
                                                    std::string_view key) {
  absl::MutexLock lock(&mutex_);
  std::vector<KvRecord> found;
  for (const auto& [name, record] : kv_) {
    if (!category.empty() && name.first != category) continue;
    if (key.empty() || name.second == key) found.push_back(record);
  }
  return found;
}

StatusOr<std::vector<KvRecord>> MemoryStore::ScanKv(std::string_view category,
                                                    std::string_view position,
                                                    size_t limit,
                                                    std::string* next_position) {
  absl::MutexLock lock(&mutex_);
  std::vector<KvRecord> found;
  std::string next;  // `position` may be a view of *next_position
  for (auto it = kv_.upper_bound(KvKey(category, position)); it != kv_.end(); ++it) {
    if (it->first.first != category) break;
    if (found.size() == limit) {
      if (!found.empty()) next = found.back().key;
      break;
    }
    found.push_back(it->second);
  }
  *next_position = std::move(next);
  return found;
}

Status MemoryStore::CreateKv(const KvRecord& record) {
  absl::MutexLock lock(&mutex_);
  const bool is_new = kv_.try_emplace({record.category, record.key}, record).second;
  return is_new ? OkStatus() : AlreadyExists(Cat(record.category, " ", record.key, " exists"));
}

Status MemoryStore::UpdateKv(const KvRecord& record) {
  absl::MutexLock lock(&mutex_);
  const auto found = kv_.find({record.category, record.key});
  if (found == kv_.end() || found->second.version + 1 != record.version) {
    return NotFound(
        Cat("no ", record.category, " ", record.key, " of version ", record.version - 1));
  }
  found->second = record;
  return OkStatus();
}

Status MemoryStore::DeleteKv(std::string_view category, std::string_view key) {
  absl::MutexLock lock(&mutex_);
  if (kv_.erase(KvKey(category, key)) == 0) return NotFound(Cat("no ", category, " ", key));
  return OkStatus();
}

std::optional<TimePoint> MemoryStore::OldestCreation() {
  absl::MutexLock lock(&mutex_);
  const std::optional<uint64_t> sequence = unfinished_.Oldest();
  if (!sequence) return std::nullopt;
  return FromMicros(static_cast<int64_t>(*sequence));
}

uint64_t MemoryStore::Unfinished() {
  absl::MutexLock lock(&mutex_);
  return unfinished_.size();
}

}  // namespace troth
