#pragma once
// What every part of a simulated world shares. One for each seed.

#include <cstdint>

#include "base/random.h"
#include "event_log.h"
#include "faults.h"
#include "marks.h"
#include "scheduler.h"

namespace troth::sim {

struct Context {
  Context(uint64_t seed, bool keep_log) : random(seed), faults(random), log(scheduler, keep_log) {}

  // Uniform between the two, the second excluded.
  Duration Between(Duration low, Duration high) {
    return low + Duration(random.Below(static_cast<uint64_t>((high - low).count())));
  }

  Random random;
  Scheduler scheduler;
  Faults faults;
  Marks marks;
  EventLog log;
};

constexpr Duration Millis(int64_t millis) { return std::chrono::milliseconds(millis); }

}  // namespace troth::sim
