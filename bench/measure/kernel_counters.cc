#include "bench/measure/kernel_counters.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/text.h"

namespace troth::bench {
namespace {

// The tracepoint's number, as perf_event_open wants it.
std::optional<uint64_t> TracepointId(std::string_view tracepoint) {
  for (const std::string_view root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file(Cat(root, "/events/", tracepoint, "/id"));
    if (uint64_t id = 0; file >> id) return id;
  }
  return std::nullopt;
}

int OpenCounter(pid_t thread, uint64_t tracepoint_id) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof(attributes);
  attributes.config = tracepoint_id;
  attributes.inherit = 1;
  return static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

std::vector<pid_t> ThreadsOf(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(Cat("/proc/", pid, "/task"), error)) {
    const std::optional<int64_t> id = ParseInt(entry.path().filename().string());
    if (id) threads.push_back(static_cast<pid_t>(*id));
  }
  return threads;
}

uint64_t Sum(const std::vector<int>& counters) {
  uint64_t sum = 0;
  for (const int fd : counters) {
    uint64_t value = 0;
    if (::read(fd, &value, sizeof(value)) == sizeof(value)) sum += value;
  }
  return sum;
}

}  // namespace

KernelCounters::KernelCounters(pid_t pid)
    : syscalls_(OpenAll(pid, "raw_syscalls/sys_enter")),
      syncs_(OpenAll(pid, "syscalls/sys_enter_fdatasync")) {
  for (const int fd : OpenAll(pid, "syscalls/sys_enter_fsync")) syncs_.push_back(fd);
}

KernelCounters::~KernelCounters() {
  for (const int fd : syscalls_) ::close(fd);
  for (const int fd : syncs_) ::close(fd);
}

std::vector<int> KernelCounters::OpenAll(pid_t pid, std::string_view tracepoint) {
  std::vector<int> counters;
  const std::optional<uint64_t> id = TracepointId(tracepoint);
  for (const pid_t thread : ThreadsOf(pid)) {
    const int fd = id ? OpenCounter(thread, *id) : -1;
    if (fd >= 0) counters.push_back(fd);
  }
  complete_ = complete_ && !counters.empty();
  return counters;
}

std::optional<KernelCounts> KernelCounters::Read() const {
  if (!complete_) return std::nullopt;
  return KernelCounts{.syscalls = Sum(syscalls_), .syncs = Sum(syncs_)};
}

}  // namespace troth::bench
