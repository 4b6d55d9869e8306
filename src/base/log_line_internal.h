#pragma once
// What one log line looks like. Pure; log.cc writes what comes out.

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"

namespace troth::log_internal {

struct LogLine {
  TimePoint time;
  std::chrono::minutes utc_offset{};
  LogLevel level = LogLevel::kInfo;
  std::string_view event;
  std::span<const LogField> fields;
};

// Without the line break.
std::string TextLine(const LogLine& line);
std::string JsonLine(const LogLine& line);

}  // namespace troth::log_internal
