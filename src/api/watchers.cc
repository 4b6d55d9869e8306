#include "api/watchers.h"

#include <utility>

namespace troth {

bool Watchers::Add(std::string gid, std::shared_ptr<Watcher> watcher) {
  absl::MutexLock lock(&mutex_);
  if (watchers_.size() >= kWatchersMax) return false;
  watchers_.emplace(std::move(gid), std::move(watcher));
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
    return;
  }
}

void Watchers::OnEnded(std::string_view gid) {
  absl::MutexLock lock(&mutex_);
  const auto [begin, end] = watchers_.equal_range(gid);
  for (auto at = begin; at != end; ++at) {
    at->second->loop().Post([weak = std::weak_ptr<Watcher>(at->second)] {
      if (const auto watcher = weak.lock()) watcher->Look();
    });
  }
}

}  // namespace troth
