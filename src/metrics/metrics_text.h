#pragma once
// Writes Prometheus' text format 0.0.4: families with their help and type, then their samples.
// Whoever counts something appends its own families when /api/metrics is asked; nothing is
// registered anywhere before. Not thread-safe; one for each answer.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/counter.h"

namespace troth {

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class MetricsText {
 public:
  // Begins a family; its samples follow. `name` and `help` are ours and need no escapes.
  void Counter(std::string_view name, std::string_view help) { Begin(name, help, "counter"); }
  void Gauge(std::string_view name, std::string_view help) { Begin(name, help, "gauge"); }
  void Histogram(std::string_view name, std::string_view help) { Begin(name, help, "histogram"); }

  // A sample of the family begun last. Label values may be any text.
  void Sample(MetricLabels labels, uint64_t value);
  void SampleSeconds(MetricLabels labels, Duration value);
  // The buckets, sum and count of one histogram of microseconds, told in seconds.
  template <size_t kBounds>
  void SampleDurations(MetricLabels labels,
                       const std::array<int64_t, kBounds>& bounds,
                       const HistogramCounts<kBounds>& counts) {
    Buckets(labels, bounds, counts.counts, counts.sum, &SecondsText);
  }
  void SampleDurations(MetricLabels labels, const DurationCounts& counts) {
    SampleDurations(labels, kDurationBounds, counts);
  }
  // The same for plain numbers.
  template <size_t kBounds>
  void SampleNumbers(MetricLabels labels,
                     const std::array<int64_t, kBounds>& bounds,
                     const HistogramCounts<kBounds>& counts) {
    Buckets(labels, bounds, counts.counts, counts.sum, &NumberText);
  }

  std::string Take() { return std::move(out_); }

 private:
  void Begin(std::string_view name, std::string_view help, std::string_view type);
  void Line(std::string_view suffix,
            MetricLabels labels,
            std::string_view le,
            std::string_view value);
  static std::string SecondsText(uint64_t micros);
  static std::string NumberText(uint64_t number) { return std::to_string(number); }
  // `counts` has one more element than `bounds`.
  void Buckets(MetricLabels labels,
               std::span<const int64_t> bounds,
               std::span<const uint64_t> counts,
               uint64_t sum,
               std::string (*text)(uint64_t));

  std::string out_;
  std::string family_;
};

// The media type of the text.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace troth
