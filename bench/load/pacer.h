#pragma once
// When transactions start. Closed loop: one starts whenever fewer than N are open. Open loop: they
// start at a fixed rate, whatever the server does, and latency counts from the time a transaction
// was due: a server that stalls cannot hide those that had to wait meanwhile (coordinated
// omission).

#include <chrono>
#include <cstdint>
#include <optional>

#include "bench/transport/event_loop.h"

namespace troth::bench {

class Pacer {
 public:
  static Pacer Closed(uint64_t in_flight);
  // The first one is due at `start`.
  static Pacer Open(double per_second, SteadyTime start);

  // From when the latency counts of a transaction that may start now; nothing: none may.
  std::optional<SteadyTime> Next(SteadyTime now, uint64_t open);
  // When Next has to be asked again, if no transaction ends before.
  SteadyTime NextAt(SteadyTime now) const;

 private:
  Pacer() = default;
  SteadyTime DueAt(uint64_t number) const;

  uint64_t in_flight_ = 0;  // 0: an open loop
  double nanos_between_ = 0;
  SteadyTime start_{};
  uint64_t started_ = 0;
};

}  // namespace troth::bench
