#pragma once
// The services of a scenario: one port whose every method succeeds, one whose every method refuses.

#include "base/status.h"
#include "bench/load/scenario.h"
#include "bench/transport/event_loop.h"
#include "bench/transport/participant.h"

namespace troth::bench {

class Participants {
 public:
  // Outlives the loop. Call Listen once.
  explicit Participants(Wire wire) : wire_(wire) {}
  Status Listen(EventLoop& loop);

  const Services& services() const { return services_; }
  uint64_t calls() const { return counts_.calls; }
  // Whether exactly the methods of the scenario were called, as far as their names were read.
  Status CheckPaths(const Scenario& scenario) const;

 private:
  StatusOr<std::string> ListenOne(EventLoop& loop, Behaviour behaviour);

  const Wire wire_;
  ParticipantCounts counts_;
  Services services_;
};

}  // namespace troth::bench
