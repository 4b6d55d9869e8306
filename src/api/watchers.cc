#include "api/watchers.h"

#include <utility>

#include "base/limits.h"

namespace troth {

bool Watchers::Add(std::string gid, std::shared_ptr<Watcher> watcher) {
  absl::MutexLock lock(&mutex_);
  if (watchers_.size() >= limits::kWatchersMax) return false;
  watchers_.emplace(std::move(gid), std::move(watcher));
  count_ = watchers_.size();
  return true;
}

void Watchers::Remove(std::string_view gid, const Watcher& watcher) {
  std::shared_ptr<Watcher> removed;  // let go of after the lock
  absl::MutexLock lock(&mutex_);
  const auto [begin, end] = watchers_.equal_range(gid);
  for (auto at = begin; at != end; ++at) {
    if (at->second.get() != &watcher) continue;
    removed = std::move(at->second);
    watchers_.erase(at);
    count_ = watchers_.size();
    return;
  }
}

void Watchers::OnChanged(std::string_view gid) {
  // Whoever comes right now begins with a look, which finds the change.
  if (count_ == 0) return;
  absl::MutexLock lock(&mutex_);
  const auto [begin, end] = watchers_.equal_range(gid);
  for (auto at = begin; at != end; ++at) Wake(at->second);
}

void Watchers::WakeAll() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [gid, watcher] : watchers_) Wake(watcher);
}

void Watchers::Wake(const std::shared_ptr<Watcher>& watcher) {
  watcher->loop().Post([weak = std::weak_ptr<Watcher>(watcher)] {
    if (const auto still = weak.lock()) still->Look();
  });
}

}  // namespace troth
