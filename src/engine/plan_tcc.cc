// A tcc: its branches were tried by the client; confirmed or cancelled here, last registered first,
// until all have succeeded. protocol/server.md 6.2.

#include <cstdlib>

#include "engine/plan_phase_two.h"

namespace troth {

NextStep PlanTcc(const Transaction& txn,
                 const PassState& pass,
                 TimePoint now,
                 const EngineOptions& options) {
  switch (txn.status) {
    case TransStatus::kPrepared: return PlanPrepared(txn, now, options);
    case TransStatus::kSubmitted:
      return PlanPhaseTwo(
          txn, pass, BranchOp::kConfirm, RowOrder::kReverse, TransStatus::kSucceeded);
    case TransStatus::kAborting:
      return PlanPhaseTwo(txn, pass, BranchOp::kCancel, RowOrder::kReverse, TransStatus::kFailed);
    case TransStatus::kSucceeded:
    case TransStatus::kFailed: return ParkStranded(now, options);
  }
  std::abort();
}

}  // namespace troth
