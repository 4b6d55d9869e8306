#pragma once
// How often a running process enters the kernel and how often it syncs files, counted by the
// kernel's tracepoints (perf_event_open). Counting makes every system call a little dearer: done
// beside a run of its own.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troth::bench {

struct KernelCounts {
  uint64_t syscalls = 0;
  uint64_t syncs = 0;  // fsync and fdatasync
};

class KernelCounters {
 public:
  // Counts from now on, threads included that are started later. Without permission or tracefs it
  // counts nothing: Read returns nothing.
  explicit KernelCounters(pid_t pid);
  ~KernelCounters();
  KernelCounters(const KernelCounters&) = delete;
  KernelCounters& operator=(const KernelCounters&) = delete;

  std::optional<KernelCounts> Read() const;

 private:
  std::vector<int> OpenAll(pid_t pid, std::string_view tracepoint);

  std::vector<int> syscalls_;  // a counter for each thread
  std::vector<int> syncs_;
  bool complete_ = true;
};

}  // namespace troth::bench
