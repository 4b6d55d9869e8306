#pragma once
// One log line for the end of each transaction; under load the first hundred of a second and then
// every hundredth, which says how many it stands for (dtm samples its log the same way).
// Thread-safe.

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "engine/transaction.h"

namespace troth {

class EndLog {
 public:
  void OnEnded(const Transaction& txn, TimePoint now);

  uint64_t succeeded() const { return succeeded_.load(std::memory_order_relaxed); }
  uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  // How many lines the one to write now stands for; 0: write none.
  uint64_t Sample(TimePoint now);

  std::atomic<uint64_t> succeeded_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<int64_t> second_{0};
  std::atomic<uint64_t> in_second_{0};
};

}  // namespace troth
