#pragma once
// A few threads for calls of the store that block: loads, lists, claims, purges.

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/limits.h"

namespace troth {

class StoreReaders {
 public:
  // `optional_max`: jobs of TryRun waiting at once; a client's query past it is refused.
  explicit StoreReaders(size_t threads = 2, size_t optional_max = limits::kQueriesMax);
  ~StoreReaders();  // runs what waits, then joins
  StoreReaders(const StoreReaders&) = delete;
  StoreReaders& operator=(const StoreReaders&) = delete;

  // Any thread. For jobs bounded by who asks (a load for each transaction in flight, one claim, one
  // purge).
  void Run(std::function<void()> job);
  // False, and nothing happens, when too much waits already.
  [[nodiscard]] bool TryRun(std::function<void()> job);
  size_t waiting();

 private:
  void Work();

  const size_t optional_max_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace troth
