#pragma once
// REACHED marks: rare paths a long run should have taken. What no seed reached is listed at the
// end.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troth::sim {

enum class Mark : uint8_t {
  kSaveConflict,
  kSaveOfDeadServer,
  kSaveUnknownStored,
  kSavesInOneBatch,
  kClaimAfterCrash,
  kTwoServersCall,
  kStaleServerCalls,
  kActionAfterCompensation,
  kEmptyCompensation,
  kRepeatedCall,
  kLateAnswer,
  kEndedByAnotherServer,
  kWaiterToldSuccess,
  kWaiterToldFailure,
  kWaiterToldOngoing,
  kWaiterToldError,
  kClientToldOverloaded,
  kClientToldStopping,
  kClientAsksAnotherServer,
  kSagaByRefusal,
  kSagaByTimeout,
  kSagaByRetryLimit,
  kSagaConcurrentEnds,
  kTccConfirmed,
  kTccCancelledByClient,
  kTccCancelledByTimeout,
  kXaCommitted,
  kXaRolledBack,
  kMsgCheckedBackCommitted,
  kMsgCheckedBackAndDropped,
  kMsgDelayed,
  kWorkflowSucceeded,
  kWorkflowRolledBack,
  kWorkflowCalledBack,
  kWorkflowResumed,
  kForceStopped,
};
inline constexpr size_t kMarks = static_cast<size_t>(Mark::kForceStopped) + 1;

std::string_view MarkName(Mark mark);

using MarkCounts = std::array<uint64_t, kMarks>;

class Marks {
 public:
  void Reached(Mark mark) { ++counts_[static_cast<size_t>(mark)]; }
  const MarkCounts& counts() const { return counts_; }

 private:
  MarkCounts counts_{};
};

}  // namespace troth::sim
