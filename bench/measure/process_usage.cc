#include "bench/measure/process_usage.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/text.h"

namespace troth::bench {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number after `name` in a /proc file of "name: number" lines.
uint64_t NumberAfter(const std::string& text, std::string_view name) {
  const size_t at = text.find(name);
  if (at == std::string::npos) return 0;
  return std::strtoull(text.c_str() + at + name.size(), nullptr, 10);
}

// Of all its threads, those that ended included.
Duration CpuTime(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return Seconds(time.tv_sec) + Duration(time.tv_nsec / 1000);
}

// Of its children that have ended, and theirs.
Duration CpuTimeOfEnded(pid_t pid) {
  const std::string stat = ReadFile(Cat("/proc/", pid, "/stat"));
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  constexpr int kSkipped = 13;  // from the state to stime, proc(5)
  std::string skipped;
  for (int i = 0; i < kSkipped; ++i) fields >> skipped;
  int64_t user = 0, system = 0;
  fields >> user >> system;
  return Seconds(user + system) / sysconf(_SC_CLK_TCK);
}

}  // namespace

Usage MeasureProcess(pid_t pid) {
  if (pid <= 0) return {};
  const auto read = [pid](const char* file) { return ReadFile(Cat("/proc/", pid, "/", file)); };
  return {.cpu = CpuTime(pid),
          .resident_bytes = NumberAfter(read("status"), "VmRSS:") * 1024,
          .written_bytes = NumberAfter(read("io"), "\nwrite_bytes:")};
}

Usage MeasureWithChildren(pid_t pid) {
  Usage sum = MeasureProcess(pid);
  sum.cpu += CpuTimeOfEnded(pid);
  std::istringstream children(ReadFile(Cat("/proc/", pid, "/task/", pid, "/children")));
  for (pid_t child = 0; children >> child;) {
    const Usage usage = MeasureProcess(child);
    sum.cpu += usage.cpu;
    sum.resident_bytes += usage.resident_bytes;
    sum.written_bytes += usage.written_bytes;
  }
  return sum;
}

}  // namespace troth::bench
