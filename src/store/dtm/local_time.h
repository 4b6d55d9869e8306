#pragma once
// DATETIME columns of MySQL hold no time zone: dtm writes the time of its process there (or of
// TimeZoneOffset), cut to seconds. All servers of a store must agree on the zone.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace troth::dtm {

// Thread-safe value.
class LocalTime {
 public:
  // `utc_offset`: ahead of UTC; unset: the machine's time zone. Where that puts clocks back, an
  // hour exists twice; a time in it is read as the earlier one.
  explicit LocalTime(std::optional<std::chrono::minutes> utc_offset) : utc_offset_(utc_offset) {}

  // "2026-11-21 09:26:44"; what is between seconds is cut.
  std::string Format(TimePoint time) const;
  // The inverse, of "YYYY-MM-DD hh:mm:ss" with or without a fraction. Nothing when it is not that,
  // or the zero date.
  std::optional<TimePoint> Parse(std::string_view text) const;

 private:
  std::optional<std::chrono::minutes> utc_offset_;
};

}  // namespace troth::dtm
