#include "bench/measure/latencies.h"

#include <algorithm>
#include <cmath>

namespace troth::bench {
namespace {

const double kLogGrowth = std::log(1.02);

}  // namespace

void Latencies::Add(Duration latency) {
  const double micros = std::max<double>(1.0, static_cast<double>(latency.count()));
  const auto bucket = static_cast<size_t>(std::log(micros) / kLogGrowth);
  ++buckets_[std::min(bucket, kBuckets - 1)];
  ++count_;
}

void Latencies::Merge(const Latencies& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
}

void Latencies::Clear() {
  buckets_.fill(0);
  count_ = 0;
}

Duration Latencies::Percentile(double part) const {
  const auto wanted = static_cast<uint64_t>(part * static_cast<double>(count_));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen > wanted) {
      return Duration(static_cast<int64_t>(std::exp(static_cast<double>(i + 1) * kLogGrowth)));
    }
  }
  return Duration(0);
}

}  // namespace troth::bench
