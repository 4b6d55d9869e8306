#pragma once
// What goes wrong in a tortured server, as its tormentor in another process wants it:
//
//   environment  TROTH_TORTURE_DIE_AT=N     the process kills itself (SIGKILL) at the N-th point of
//                                           the store's writes, see failing_disk.h
//   file         TROTH_TORTURE_CONTROL=path read again and again; lines of a name and a number:
//                  sync_delay_ms 50         each sync of the store takes up to so much longer
//                  sync_fails 1             syncs fail, and what they should have kept is gone
//                  clock_offset_s -30       the clock is wrong by so much

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "base/time.h"

namespace troth {

struct Faults {
  std::atomic<int64_t> sync_delay_ms = 0;
  std::atomic<int64_t> sync_fails = 0;
  std::atomic<int64_t> clock_offset_s = 0;
};

// Follows the control file on a thread of its own, for as long as it lives.
class ControlFile {
 public:
  ControlFile(std::string path, Faults& faults);  // an empty path: nothing to follow
  ~ControlFile();
  ControlFile(const ControlFile&) = delete;
  ControlFile& operator=(const ControlFile&) = delete;

 private:
  void Follow();

  const std::string path_;
  Faults& faults_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

// The machine's clock, off by what the faults say. Thread-safe.
class WrongClock final : public Clock {
 public:
  explicit WrongClock(const Faults& faults) : faults_(faults) {}
  TimePoint Now() const override { return clock_.Now() + Seconds(faults_.clock_offset_s); }

 private:
  const SystemClock clock_;
  const Faults& faults_;
};

}  // namespace troth
