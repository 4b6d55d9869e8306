#pragma once
// Time as the whole project measures it: microseconds of the wall clock since 1970 UTC, because due
// times are stored and must mean the same after a restart. Only adapters read a clock; the engine
// is told the time.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troth {

using Duration = std::chrono::microseconds;
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Duration>;

// Where adapters get the time from; the simulator has its own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

// The machine's clock. Thread-safe.
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

constexpr int64_t ToMicros(TimePoint time) { return time.time_since_epoch().count(); }
constexpr TimePoint FromMicros(int64_t micros) { return TimePoint(Duration(micros)); }
constexpr Duration Seconds(int64_t seconds) { return std::chrono::seconds(seconds); }

// RFC 3339 with up to 6 fraction digits, trailing zeros cut: "2026-11-21T09:33:03.807988Z", or with
// "+08:00" when `utc_offset` is not zero.
std::string FormatTime(TimePoint time, std::chrono::minutes utc_offset = {});

// How far the machine's time zone (TZ, /etc/localtime) is ahead of UTC at `time`. Thread-safe.
std::chrono::minutes SystemUtcOffset(TimePoint time);

// Reads RFC 3339 (any number of fraction digits, cut to microseconds). Nothing when it is not that.
std::optional<TimePoint> ParseTime(std::string_view text);

}  // namespace troth
