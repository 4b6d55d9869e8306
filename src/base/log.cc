#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/log_file_internal.h"
#include "base/log_line_internal.h"
#include "base/text.h"
#include "base/time.h"

namespace troth {
namespace {

using log_internal::LogLine;

// Where lines go and how they look. Never changes; ConfigureLog puts another in its place.
struct LogSetup {
  LogOptions options;
  std::shared_ptr<spdlog::logger> logger;
};

// The one place where the process keeps its log. Lives until the process ends, so that
// destructors of other statics may still log.
struct LogState {
  std::atomic<LogLevel> level = LogLevel::kInfo;
  std::mutex mutex;
  std::shared_ptr<const LogSetup> setup;  // guarded by mutex
};

// Throws spdlog_ex when a file cannot be opened.
spdlog::sink_ptr MakeSink(std::string_view output, const LogOptions& options) {
  static constexpr int64_t kMegabyte = 1024 * 1024;
  if (output == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  const std::string path(output);
  if (!options.rotate) return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  return std::make_shared<log_internal::RotatingFile>(
      path, options.rotate_max_mb * kMegabyte, options.rotate_max_files);
}

StatusOr<std::shared_ptr<const LogSetup>> MakeSetup(const LogOptions& options) {
  std::vector<spdlog::sink_ptr> sinks;
  for (const std::string_view part : Split(options.outputs, ',')) {
    const std::string_view output = TrimSpace(part);
    if (output.empty()) continue;
    try {
      sinks.push_back(MakeSink(output, options));
    } catch (const spdlog::spdlog_ex& error) {
      return Unavailable(Cat("open log file ", output, ": ", error.what()));
    }
  }
  if (sinks.empty()) {
    return InvalidArgument("Log.Outputs names no output; give stderr, stdout or a file's path");
  }
  auto setup = std::make_shared<LogSetup>();
  setup->options = options;
  setup->logger = std::make_shared<spdlog::logger>("troth", sinks.begin(), sinks.end());
  setup->logger->set_level(spdlog::level::trace);
  setup->logger->set_pattern("%v");
  setup->logger->flush_on(spdlog::level::trace);
  return std::shared_ptr<const LogSetup>(std::move(setup));
}

LogState& State() {
  static LogState* const state = [] {
    auto* made = new LogState;
    made->setup = MakeSetup(LogOptions{}).value();  // opens no file, so it cannot fail
    return made;
  }();
  return *state;
}

std::shared_ptr<const LogSetup> CurrentSetup() {
  LogState& state = State();
  const std::lock_guard lock(state.mutex);
  return state.setup;
}

}  // namespace

Status ConfigureLog(const LogOptions& options) {
  TROTH_ASSIGN_OR_RETURN(auto setup, MakeSetup(options));
  LogState& state = State();
  const std::lock_guard lock(state.mutex);
  state.setup = std::move(setup);
  state.level = options.level;
  return OkStatus();
}

bool LogEnabled(LogLevel level) { return level >= State().level.load(std::memory_order_relaxed); }

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  const std::shared_ptr<const LogSetup> setup = CurrentSetup();
  const TimePoint now = SystemClock().Now();
  const LogOptions& options = setup->options;
  const LogLine line{.time = now,
                     .utc_offset = options.utc_offset.value_or(SystemUtcOffset(now)),
                     .level = level,
                     .event = event,
                     .fields = {fields.begin(), fields.size()}};
  const std::string text =
      options.json ? log_internal::JsonLine(line) : log_internal::TextLine(line);
  setup->logger->log(spdlog::level::info, spdlog::string_view_t(text.data(), text.size()));
}

void FlushLog() { CurrentSetup()->logger->flush(); }

}  // namespace troth
