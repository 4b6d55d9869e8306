#pragma once
// Simulated time: a queue of things to happen, done one after the other in one thread. What is due
// at the same time happens in the order it was planned, so that a seed decides everything.

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/time.h"

namespace troth::sim {

using Task = absl::AnyInvocable<void()>;

class Scheduler {
 public:
  // The true time; what a server's clock shows is another matter (sim_clock.h).
  TimePoint now() const { return now_; }
  uint64_t steps() const { return steps_; }

  // Runs `task` once `delay` has passed; a delay below zero is none.
  void After(Duration delay, Task task);

  // Does the next thing due not later than `end`; false when there is none: it is `end` then.
  bool Step(TimePoint end);

 private:
  struct Entry {
    TimePoint time;
    uint64_t sequence = 0;
    Task task;
  };
  // For a heap with the earliest on top.
  static bool Later(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }

  TimePoint now_ = FromMicros(1'767'225'600'000'000);  // 2026-01-01
  uint64_t steps_ = 0;
  uint64_t last_sequence_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace troth::sim
