#include "bench/load/figures.h"

#include <algorithm>

namespace troth::bench {

const std::vector<MeasureInfo>& Measures() {
  static const auto* const kMeasures = new std::vector<MeasureInfo>{
      {Measure::kThroughput, "tx_per_s", "transactions/s", 0},
      {Measure::kServerCpu, "server_cpu_us_per_tx", "server CPU us/tx", 1},
      {Measure::kStoreCpu, "store_cpu_us_per_tx", "store CPU us/tx", 1},
      {Measure::kGeneratorCpu, "generator_cpu_us_per_tx", "generator CPU us/tx", 1},
      {Measure::kP50, "p50_us", "latency p50 us", 0},
      {Measure::kP90, "p90_us", "latency p90 us", 0},
      {Measure::kP99, "p99_us", "latency p99 us", 0},
      {Measure::kP999, "p999_us", "latency p99.9 us", 0},
      {Measure::kDiskBytes, "disk_bytes_per_tx", "disk bytes/tx", 0},
      {Measure::kSyncs, "syncs_per_tx", "fsyncs/tx", 4},
      {Measure::kSyscalls, "syscalls_per_tx", "system calls/tx", 2},
      {Measure::kAllocations, "allocations_per_tx", "allocations/tx", 1},
      {Measure::kResident, "resident_mb", "resident MB", 1},
      {Measure::kBranchCalls, "branch_calls_per_tx", "branch calls/tx", 3},
      {Measure::kFailed, "failed", "failed", 0},
  };
  return *kMeasures;
}

void Summary::Add(const Figures& figures) {
  for (const auto& [measure, value] : figures) values_[measure].push_back(value);
}

std::optional<Spread> SpreadOf(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const bool even = values.size() % 2 == 0;
  return Spread{.median = even ? (values[middle - 1] + values[middle]) / 2 : values[middle],
                .min = values.front(),
                .max = values.back(),
                .runs = values.size()};
}

std::optional<Spread> Summary::Get(Measure measure) const {
  const auto found = values_.find(measure);
  if (found == values_.end()) return std::nullopt;
  return SpreadOf(found->second);
}

double Summary::Median(Measure measure, double otherwise) const {
  const std::optional<Spread> spread = Get(measure);
  return spread ? spread->median : otherwise;
}

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace troth::bench
