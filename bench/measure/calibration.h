#pragma once
// How fast this machine is now. Virtual machines differ by a factor between hours; figures say
// little without it.

#include <string>

#include "base/status.h"
#include "base/time.h"

namespace troth::bench {

struct Calibration {
  Duration fdatasync_p50{};  // of 512 bytes written over a page that exists
  Duration cpu_loop{};       // 10 million steps of a fixed computation, the best of some
};

// Takes about a second. `directory` is where the disk is measured; it must exist.
StatusOr<Calibration> Calibrate(const std::string& directory);

}  // namespace troth::bench
