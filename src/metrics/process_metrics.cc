#include "metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "base/text.h"

namespace troth {
namespace {

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// /proc/self/stat after the program's name, which may hold anything up to the last ')'. Numbers as
// in proc(5), counted from "state", the third.
std::vector<std::string_view> StatFields(std::string_view stat) {
  const size_t name_end = stat.rfind(')');
  if (name_end == stat.npos) return {};
  return Split(TrimSpace(stat.substr(name_end + 1)), ' ');
}

uint64_t Field(const std::vector<std::string_view>& fields, size_t number) {
  constexpr size_t kFirst = 3;
  if (number - kFirst >= fields.size()) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(0, ParseInt(fields[number - kFirst]).value_or(0)));
}

// Seconds since 1970 at which the machine started.
std::optional<int64_t> BootTime() {
  const std::string stat = ReadAll("/proc/stat");
  for (const std::string_view line : Split(stat, '\n')) {
    if (line.starts_with("btime ")) return ParseInt(line.substr(6));
  }
  return std::nullopt;
}

uint64_t OpenFiles() {
  std::error_code error;
  uint64_t count = 0;
  auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count;
}

Duration TicksToTime(uint64_t ticks) {
  const auto per_second = static_cast<uint64_t>(std::max(1L, sysconf(_SC_CLK_TCK)));
  return Duration(static_cast<int64_t>(ticks * 1'000'000 / per_second));
}

}  // namespace

void AppendProcessMetrics(MetricsText& text) {
  constexpr size_t kUserTime = 14, kSystemTime = 15, kStartTime = 22, kVirtual = 23, kResident = 24;
  const std::string stat = ReadAll("/proc/self/stat");
  const std::vector<std::string_view> fields = StatFields(stat);
  if (fields.empty()) return;
  text.Counter("process_cpu_seconds_total", "User and system CPU time in seconds.");
  text.SampleSeconds({}, TicksToTime(Field(fields, kUserTime) + Field(fields, kSystemTime)));
  text.Gauge("process_virtual_memory_bytes", "Virtual memory in bytes.");
  text.Sample({}, Field(fields, kVirtual));
  text.Gauge("process_resident_memory_bytes", "Resident memory in bytes.");
  text.Sample({}, Field(fields, kResident) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  if (const std::optional<int64_t> boot = BootTime()) {
    text.Gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.");
    text.SampleSeconds({}, Seconds(*boot) + TicksToTime(Field(fields, kStartTime)));
  }
  text.Gauge("process_open_fds", "Open file descriptors.");
  text.Sample({}, OpenFiles());
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  text.Gauge("process_max_fds", "Most file descriptors that may be open.");
  text.Sample({}, files.rlim_cur);
}

}  // namespace troth
