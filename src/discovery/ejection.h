#pragma once
// Takes an endpoint that fails call after call out of the choice for a while, longer each time;
// then one call tries it. For one thread.

#include <algorithm>
#include <chrono>

#include "base/time.h"

namespace troth {

class Ejection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr Duration kPauseMin = Seconds(1);
  static constexpr Duration kPauseMax = Seconds(30);
  // How long the one trying call may take before another one tries.
  static constexpr Duration kProbePatience = Seconds(5);

  // Whether the next call may go there.
  bool Usable(Time now) const { return now >= until_; }
  // A call goes there. When that is a try, further ones stay away until it ends.
  void OnPicked(Time now) {
    if (ejections_ > 0) until_ = now + kProbePatience;
  }
  void OnSuccess() { *this = {}; }
  // `limit`: so many failures in a row are enough.
  void OnFailure(Time now, int limit) {
    if (ejections_ == 0 && ++failures_ < limit) return;
    until_ = now + std::min(kPauseMin * (1 << ejections_), kPauseMax);
    ejections_ = std::min(ejections_ + 1, kEjectionsMax);
  }
  bool ejected() const { return ejections_ > 0; }

 private:
  static constexpr int kEjectionsMax = 6;  // kPauseMax is reached by then

  int failures_ = 0;
  int ejections_ = 0;  // in a row
  Time until_{};
};

}  // namespace troth
