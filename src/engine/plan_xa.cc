// An xa: its branches were prepared by the client; committed or rolled back here, first registered
// first, until all have succeeded. protocol/server.md 6.2.

#include <cstdlib>

#include "engine/plan_phase_two.h"

namespace troth {

NextStep PlanXa(const Transaction& txn,
                const PassState& pass,
                TimePoint now,
                const EngineOptions& options) {
  switch (txn.status) {
    case TransStatus::kPrepared: return PlanPrepared(txn, now, options);
    case TransStatus::kSubmitted:
      return PlanPhaseTwo(
          txn, pass, BranchOp::kCommit, RowOrder::kForward, TransStatus::kSucceeded);
    case TransStatus::kAborting:
      return PlanPhaseTwo(txn, pass, BranchOp::kRollback, RowOrder::kForward, TransStatus::kFailed);
    case TransStatus::kSucceeded:
    case TransStatus::kFailed: return ParkStranded(now, options);
  }
  std::abort();
}

}  // namespace troth
