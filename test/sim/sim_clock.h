#pragma once
// A server's wall clock: ahead or behind by an offset that jumps, and a little too fast or slow.

#include "base/time.h"
#include "scheduler.h"

namespace troth::sim {

class SimClock final : public Clock {
 public:
  explicit SimClock(const Scheduler& scheduler) : scheduler_(scheduler), set_at_(scheduler.now()) {}

  TimePoint Now() const override { return scheduler_.now() + offset_ + Drifted(); }

  void Jump(Duration by) { offset_ += by; }
  // From now on `parts_per_million` too fast.
  void SetDrift(int64_t parts_per_million) {
    offset_ += Drifted();
    set_at_ = scheduler_.now();
    drift_ppm_ = parts_per_million;
  }
  // Shows the true time, as after a synchronisation.
  void Correct() {
    offset_ = Duration(0);
    drift_ppm_ = 0;
  }

 private:
  Duration Drifted() const { return (scheduler_.now() - set_at_) * drift_ppm_ / 1'000'000; }

  const Scheduler& scheduler_;
  TimePoint set_at_;
  Duration offset_{0};
  int64_t drift_ppm_ = 0;
};

}  // namespace troth::sim
