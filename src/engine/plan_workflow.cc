// A workflow runs in the client; the server keeps its progress and calls it back until it submits
// its end. protocol/server.md 6.4.

#include "engine/plan.h"

namespace troth {

NextStep PlanWorkflow(const Transaction& txn,
                      const PassState& pass,
                      TimePoint now,
                      const EngineOptions& options) {
  if (txn.status != TransStatus::kPrepared) return ParkStranded(now, options);
  if (txn.query_prepared.empty()) return ParkStranded(now, options);  // nobody to call back
  if (pass.callback == RowState::kIdle) return CallBack{};
  if (pass.callback == RowState::kRunning) return Await{};
  return Park{pass.due};
}

}  // namespace troth
