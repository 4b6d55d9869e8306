#include "store/unfinished_index.h"

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
  due_.insert(DueOf(added->get()));
  return added->get();
}

void UnfinishedIndex::Remove(Entry* entry) {
  due_.erase(DueOf(entry));
  entries_.erase(entries_.find(std::string_view(entry->gid)));
}

void UnfinishedIndex::SetDue(Entry* entry, TimePoint due) {
  if (entry->due == due) return;
  due_.erase(DueOf(entry));
  entry->due = due;
  due_.insert(DueOf(entry));
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

}  // namespace troth
