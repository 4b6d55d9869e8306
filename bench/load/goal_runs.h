#pragma once
// The speed that docs/performance.md promises, measured.

#include <string>

#include "base/status.h"
#include "bench/load/goals.h"
#include "bench/measure/calibration.h"
#include "bench/measure/server_process.h"

namespace troth::bench {

struct GoalOptions {
  ServerOptions server;
  int generator_core = 1;
  double seconds = 1.5;  // of each run
  int repeats = 3;
  std::string only;  // of the parts, those whose name has this in it
};

struct GoalReport {
  Calibration machine;  // as it was then
  GoalList goals;
};

// Tells on stderr what it does as it goes. Error: something could not be measured at all.
StatusOr<GoalReport> MeasureGoals(const GoalOptions& options);

}  // namespace troth::bench
