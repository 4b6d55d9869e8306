#pragma once
// What can go wrong, how often it does in this seed, and how often it did. Each seed draws its own
// mix: some kinds not at all, others seldom or often, so that rare combinations come up too.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace troth::sim {

enum class Fault : uint8_t {
  kMessageLost,
  kMessageDuplicated,
  kMessageDelayed,  // overtaken by later ones
  kReplyLost,       // the request arrives, the answer does not
  kPartition,
  kHalfOpen,  // a partition in one direction only
  kServerCrash,
  kServerPause,  // SIGSTOP for a while; its clock goes on
  kServerDrain,  // a graceful restart
  kClockJump,
  kClockDrift,
  kStoreUnknownLost,    // not stored, and nobody says so
  kStoreUnknownStored,  // stored, and nobody says so
  kStoreSlow,
  kStoreFull,
  kStoreCrash,
  kStoreTorn,  // at a crash only some saves of a batch were on disk
  kLoadFailed,
  kClaimFailed,
  kClaimLate,  // when other requests have long been served, or its lease is over
  kServiceCrash,
  kServiceDiesAfterDoing,
  kServiceError,
  kServiceRefuses,
  kServiceOngoing,
  kServiceHangs,
  kClientVanishes,
  kClientRepeats,  // the same request twice at once
  kOperatorResets,
  kOperatorStops,
};
inline constexpr size_t kFaults = static_cast<size_t>(Fault::kOperatorStops) + 1;

std::string_view FaultName(Fault fault);

using FaultCounts = std::array<uint64_t, kFaults>;

class Faults {
 public:
  explicit Faults(Random& random);

  // Whether it strikes now; counted if so. Never again after Stop.
  bool Strikes(Fault fault);
  void Stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  bool drawn(Fault fault) const { return rates_[static_cast<size_t>(fault)] > 0; }
  const FaultCounts& hits() const { return hits_; }

 private:
  Random& random_;
  bool stopped_ = false;
  std::array<double, kFaults> rates_{};
  FaultCounts hits_{};
};

}  // namespace troth::sim
