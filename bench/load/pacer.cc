#include "bench/load/pacer.h"

namespace troth::bench {
namespace {

constexpr std::chrono::milliseconds kClosedLoopLooks{100};

}  // namespace

Pacer Pacer::Closed(uint64_t in_flight) {
  Pacer pacer;
  pacer.in_flight_ = in_flight;
  return pacer;
}

Pacer Pacer::Open(double per_second, SteadyTime start) {
  Pacer pacer;
  pacer.nanos_between_ = 1e9 / per_second;
  pacer.start_ = start;
  return pacer;
}

std::optional<SteadyTime> Pacer::Next(SteadyTime now, uint64_t open) {
  if (in_flight_ != 0) return open < in_flight_ ? std::optional(now) : std::nullopt;
  const SteadyTime due = DueAt(started_);
  if (due > now) return std::nullopt;
  ++started_;
  return due;
}

SteadyTime Pacer::NextAt(SteadyTime now) const {
  return in_flight_ != 0 ? now + kClosedLoopLooks : DueAt(started_);
}

// From the start, not from the one before: rounding does not add up.
SteadyTime Pacer::DueAt(uint64_t number) const {
  return start_ + Nanos(static_cast<int64_t>(static_cast<double>(number) * nanos_between_));
}

}  // namespace troth::bench
