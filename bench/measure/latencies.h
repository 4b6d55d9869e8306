#pragma once
// Latencies of a run, in buckets of 2 %: enough for percentiles, small whatever the number of
// calls.

#include <array>
#include <cstdint>

#include "base/time.h"

namespace troth::bench {

class Latencies {
 public:
  void Add(Duration latency);
  void Merge(const Latencies& other);
  void Clear();
  uint64_t count() const { return count_; }
  // The latency that `part` (0 to 1) of the calls stayed below or met.
  Duration Percentile(double part) const;

 private:
  static constexpr size_t kBuckets = 1200;  // 1.02^1200 microseconds is far beyond any run
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace troth::bench
