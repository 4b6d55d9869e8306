#include "engine/plan_phase_two.h"

namespace troth {

NextStep PlanPhaseTwo(
    const Transaction& txn, const PassState& pass, BranchOp op, RowOrder order, TransStatus done) {
  const size_t rows = txn.branches.size();
  for (size_t i = 0; i < rows; ++i) {
    const size_t row = order == RowOrder::kForward ? i : rows - 1 - i;
    const Branch& branch = txn.branches[row];
    if (branch.op == op && branch.status != BranchStatus::kSucceeded) return PlanRow(row, pass);
  }
  return MoveTo{done, ""};
}

}  // namespace troth
