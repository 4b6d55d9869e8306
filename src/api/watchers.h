#pragma once
// Clients that wait for a transaction, by its gid. They are told of every change that this server
// makes; what another server on the same store does they look for themselves from time to time.
//
// A watcher lives here until it is removed, so that nothing it waits with has to hold it: not its
// timer, not a query under way. What still waits when the server ends goes with the Watchers.

#include <atomic>
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
  // False when limits::kWatchersMax are there.
  [[nodiscard]] bool Add(std::string gid, std::shared_ptr<Watcher> watcher);
  void Remove(std::string_view gid, const Watcher& watcher);

  // The transaction has changed, durably: its watchers look soon, each on its loop. Costs next to
  // nothing while there are none.
  void OnChanged(std::string_view gid);
  // All look: the server is about to stop.
  void WakeAll();

 private:
  static void Wake(const std::shared_ptr<Watcher>& watcher);

  std::atomic<size_t> count_{0};  // of watchers_, readable without the mutex
  absl::Mutex mutex_;
  std::multimap<std::string, std::shared_ptr<Watcher>, std::less<>> watchers_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace troth
