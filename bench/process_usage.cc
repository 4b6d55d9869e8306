#include "bench/process_usage.h"

#include <unistd.h>

#include <cstdlib>
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

Duration CpuTime(const std::string& stat) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(stat.substr(name_end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  int64_t user = 0;
  int64_t system = 0;
  fields >> user >> system;
  return Duration((user + system) * (1000000 / ::sysconf(_SC_CLK_TCK)));
}

}  // namespace

Usage MeasureProcess(pid_t pid) {
  const auto read = [pid](const char* file) { return ReadFile(Cat("/proc/", pid, "/", file)); };
  return {.cpu = CpuTime(read("stat")),
          .resident_bytes = NumberAfter(read("status"), "VmRSS:") * 1024,
          .written_bytes = NumberAfter(read("io"), "\nwrite_bytes:")};
}

}  // namespace troth::bench
