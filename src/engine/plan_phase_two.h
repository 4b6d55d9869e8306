#pragma once
// The second phase that tcc and xa share: rows of one op, one at a time.

#include <vector>

#include "engine/plan.h"

namespace troth {

enum class RowOrder : uint8_t { kForward, kReverse };

// Calls the rows of `op` that have not succeeded, in `order`; the first that does not succeed ends
// the pass. After the last: `done`.
NextStep PlanPhaseTwo(
    const Transaction& txn, const PassState& pass, BranchOp op, RowOrder order, TransStatus done);

}  // namespace troth
