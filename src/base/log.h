#pragma once
// Structured logging: an event name and named fields, as text for people or JSON for machines.
// Never log a payload or a secret above debug. Thread-safe.
//
//   Log(LogLevel::kInfo, "transaction ended", {{"gid", gid}, {"status", "succeed"}, {"ms", 12}});
//
//   2026-11-21T09:33:03.807Z info  transaction ended gid=fKM2 status=succeed ms=12
//   {"level":"info","ts":"2026-11-21T09:33:03.807Z","msg":"transaction ended","gid":"fKM2",...}
//
// The names level, ts and msg are taken. Values need not be UTF-8: what is not becomes U+FFFD, and
// a line break never gets out of its line.

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"

namespace troth {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };

// A named value. Lives only during the call to Log.
class LogField {
 public:
  LogField(std::string_view name, std::string_view value) : name_(name), text_(value) {}
  LogField(std::string_view name, const char* value) : name_(name), text_(value) {}
  LogField(std::string_view name, const std::string& value) : name_(name), text_(value) {}
  template <typename Int>
    requires std::is_integral_v<Int>
  LogField(std::string_view name, Int value)
      : name_(name), number_(static_cast<int64_t>(value)), is_number_(true) {}
  LogField(std::string_view name, const Status& status) : name_(name), text_(Message(status)) {}

  std::string_view name() const { return name_; }
  bool is_number() const { return is_number_; }
  int64_t number() const { return number_; }
  std::string_view text() const { return text_; }

 private:
  std::string_view name_;
  std::string_view text_;
  int64_t number_ = 0;
  bool is_number_ = false;
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool json = false;
  // Each of "stderr", "stdout" or a file's path.
  std::string outputs = "stderr";  // comma list
  bool rotate = false;
  int64_t rotate_max_mb = 100;
  int64_t rotate_max_files = 0;  // 0: keep all (dtm's meaning)
  // Ahead of UTC, for the times of the lines; unset: the machine's time zone.
  std::optional<std::chrono::minutes> utc_offset = {};
};

// Sets where log lines go. Error when a file cannot be opened; the old setting stays then. A file's
// missing folders are made. A rotated file is renamed to <stem>-<UTC time><extension>.
// Before the first call lines of info and above go to stderr as text.
Status ConfigureLog(const LogOptions& options);

bool LogEnabled(LogLevel level);
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

inline void LogDebug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  if (LogEnabled(LogLevel::kDebug)) Log(LogLevel::kDebug, event, fields);
}
inline void LogInfo(std::string_view event, std::initializer_list<LogField> fields = {}) {
  if (LogEnabled(LogLevel::kInfo)) Log(LogLevel::kInfo, event, fields);
}
inline void LogWarn(std::string_view event, std::initializer_list<LogField> fields = {}) {
  if (LogEnabled(LogLevel::kWarn)) Log(LogLevel::kWarn, event, fields);
}
inline void LogError(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, event, fields);
}
// Writes out what is buffered; called before the process ends. Each line is handed to the operating
// system by Log itself, so a crash loses none.
void FlushLog();

}  // namespace troth
