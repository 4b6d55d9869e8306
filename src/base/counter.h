#pragma once
// Numbers for metrics that cost a plain addition: each is written by one thread only (a loop, a
// shard, the store's writer) and read by any. Who has several writers keeps one set for each and
// adds them up when somebody asks (metrics/metrics_text.h).

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace troth {

// A number that only grows. Add: the owning thread. value: any thread.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void Add(uint64_t amount = 1) {
    // One writer, so that no locked instruction is needed.
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// What a histogram has counted, as a value that can be added up. counts[i] are those in the i-th
// bucket alone, the last one those above all bounds.
template <size_t kBounds>
struct HistogramCounts {
  std::array<uint64_t, kBounds + 1> counts{};
  uint64_t sum = 0;

  void operator+=(const HistogramCounts& other) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    sum += other.sum;
  }
};

// Counts whole numbers by size: bucket i has those up to and including bounds[i].
template <size_t kBounds>
class CountingHistogram {
 public:
  // `bounds` ascend and outlive it.
  explicit CountingHistogram(const std::array<int64_t, kBounds>& bounds) : bounds_(bounds) {}

  void Add(int64_t number) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), number);
    buckets_[static_cast<size_t>(bucket - bounds_.begin())].Add();
    sum_.Add(static_cast<uint64_t>(std::max<int64_t>(0, number)));
  }
  HistogramCounts<kBounds> counts() const {
    HistogramCounts<kBounds> out;
    for (size_t i = 0; i < buckets_.size(); ++i) out.counts[i] = buckets_[i].value();
    out.sum = sum_.value();
    return out;
  }

 private:
  const std::array<int64_t, kBounds>& bounds_;
  std::array<Counter, kBounds + 1> buckets_;
  Counter sum_;
};

// Microseconds; 5 ms to 10 s, the buckets of Go's Prometheus client, which dtm's dashboards know.
inline constexpr std::array<int64_t, 11> kDurationBounds = {5'000,
                                                            10'000,
                                                            25'000,
                                                            50'000,
                                                            100'000,
                                                            250'000,
                                                            500'000,
                                                            1'000'000,
                                                            2'500'000,
                                                            5'000'000,
                                                            10'000'000};
using DurationCounts = HistogramCounts<kDurationBounds.size()>;

class DurationHistogram : public CountingHistogram<kDurationBounds.size()> {
 public:
  DurationHistogram() : CountingHistogram(kDurationBounds) {}
  void Add(Duration took) { CountingHistogram::Add(took.count()); }
};

}  // namespace troth
