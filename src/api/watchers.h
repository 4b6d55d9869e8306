#pragma once
// Clients that wait for a transaction, by its gid. They are told at once when it ends; other
// changes they look for themselves from time to time.
//
// A watcher lives here until it is removed, so that nothing it waits with has to hold it: not its
// timer, not a query under way. What still waits when the server ends goes with the Watchers.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "net/loop.h"

namespace troth {

// Further ones get 429.
inline constexpr size_t kWatchersMax = 1024;

// Used and destroyed on its loop only.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // The transaction may have changed.
  virtual void Look() = 0;
  virtual net::Loop& loop() = 0;
};

// Thread-safe. Destroyed when the loops have stopped, before them.
class Watchers {
 public:
  // False when kWatchersMax are there.
  [[nodiscard]] bool Add(std::string gid, std::shared_ptr<Watcher> watcher);
  void Remove(std::string_view gid, const Watcher& watcher);

  // The transaction ended: its watchers look soon, each on its loop.
  void OnEnded(std::string_view gid);

 private:
  absl::Mutex mutex_;
  std::multimap<std::string, std::shared_ptr<Watcher>, std::less<>> watchers_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace troth
