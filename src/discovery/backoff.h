#pragma once
// How long to wait before trying a registry again.

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/random.h"
#include "base/time.h"

namespace troth {

// The first tries come fast, because a registry that restarts is back within seconds; then the
// delay doubles up to `max`, so that a registry in trouble is left alone. Spread by a quarter up
// and down, so that many servers do not return at the same moment.
class Backoff {
 public:
  Backoff(Duration min, Duration max) : min_(min), max_(max), next_(min) {}

  Duration Next(Random& random) {
    const Duration base = std::exchange(next_, std::min(next_ * 2, max_));
    const double spread = 0.75 + 0.5 * random.Unit();
    return std::chrono::duration_cast<Duration>(base * spread);
  }
  void Reset() { next_ = min_; }

 private:
  Duration min_;
  Duration max_;
  Duration next_;
};

}  // namespace troth
