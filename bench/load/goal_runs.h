#pragma once
// The speed that docs/performance.md promises, measured.

#include "base/status.h"
#include "bench/load/goals.h"
#include "bench/measure/server_process.h"

namespace troth::bench {

struct GoalOptions {
  ServerOptions server;
  int generator_core = 1;
  double seconds = 1.5;  // of each run
  int repeats = 3;
};

// Prints how fast the machine is now, and on stderr what it does as it goes. Error: something could
// not be measured at all.
StatusOr<GoalList> MeasureGoals(const GoalOptions& options);

}  // namespace troth::bench
