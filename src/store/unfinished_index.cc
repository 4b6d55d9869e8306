#include "store/unfinished_index.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.h"

namespace troth {

UnfinishedIndex::Entry* UnfinishedIndex::Find(std::string_view gid) {
  const auto found = entries_.find(gid);
  return found == entries_.end() ? nullptr : found->get();
}

UnfinishedIndex::Entry* UnfinishedIndex::Add(Entry entry) {
  const auto [added, is_new] = entries_.insert(std::make_unique<Entry>(std::move(entry)));
  TROTH_CHECK(is_new);
  Entry* const here = added->get();
  due_.insert(DueOf(here));
  Sequences& sequences = SequencesLike(*here);
  sequences.insert(sequences.end(), here->sequence);
  return here;
}

void UnfinishedIndex::Remove(Entry* entry) {
  due_.erase(DueOf(entry));
  SequencesLike(*entry).erase(entry->sequence);
  entries_.erase(entries_.find(std::string_view(entry->gid)));
}

void UnfinishedIndex::SetDue(Entry* entry, TimePoint due) {
  if (entry->due == due) return;
  due_.erase(DueOf(entry));
  entry->due = due;
  due_.insert(DueOf(entry));
}

void UnfinishedIndex::SetStatus(Entry* entry, TransStatus status) {
  if (entry->status == status) return;
  SequencesLike(*entry).erase(entry->sequence);
  entry->status = status;
  SequencesLike(*entry).insert(entry->sequence);
}

std::vector<UnfinishedIndex::Entry*> UnfinishedIndex::Claim(TimePoint now,
                                                            TimePoint lease_until,
                                                            size_t limit) {
  std::vector<Entry*> claimed;
  for (const Due& due : due_) {
    if (due.time > now || claimed.size() == limit) break;
    claimed.push_back(due.entry);
  }
  for (Entry* entry : claimed) SetDue(entry, lease_until);
  return claimed;
}

absl::btree_set<UnfinishedIndex::Due>::const_iterator UnfinishedIndex::FirstLaterThan(
    TimePoint time) const {
  return due_.upper_bound(Due{time, UINT64_MAX, nullptr});
}

std::vector<UnfinishedIndex::Entry*> UnfinishedIndex::DueLaterThan(TimePoint after,
                                                                   size_t limit) const {
  std::vector<Entry*> found;
  for (auto it = FirstLaterThan(after); it != due_.end() && found.size() < limit; ++it) {
    found.push_back(it->entry);
  }
  return found;
}

bool UnfinishedIndex::AnyDueLaterThan(TimePoint after) const {
  return FirstLaterThan(after) != due_.end();
}

std::optional<TimePoint> UnfinishedIndex::NextDue() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->time;
}

std::vector<uint64_t> UnfinishedIndex::NewestBelow(uint64_t below,
                                                   std::optional<TransStatus> status,
                                                   size_t limit) const {
  std::vector<uint64_t> newest;
  for (size_t i = 0; i < sequences_.size(); ++i) {
    if (status && static_cast<size_t>(*status) != i) continue;
    auto it = sequences_[i].lower_bound(below);
    for (size_t taken = 0; it != sequences_[i].begin() && taken < limit; ++taken) {
      newest.push_back(*--it);
    }
  }
  std::sort(newest.begin(), newest.end(), std::greater<>());
  if (newest.size() > limit) newest.resize(limit);
  return newest;
}

std::optional<uint64_t> UnfinishedIndex::Oldest() const {
  std::optional<uint64_t> oldest;
  for (const Sequences& sequences : sequences_) {
    if (sequences.empty()) continue;
    oldest = std::min(oldest.value_or(UINT64_MAX), *sequences.begin());
  }
  return oldest;
}

bool UnfinishedIndex::AnyBetween(uint64_t after, uint64_t before) const {
  return std::any_of(sequences_.begin(), sequences_.end(), [&](const Sequences& sequences) {
    const auto next = sequences.upper_bound(after);
    return next != sequences.end() && *next < before;
  });
}

}  // namespace troth
