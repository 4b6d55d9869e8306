// An aborting saga: every step that ran or may have run is compensated, in reverse, for as long as
// it takes. protocol/server.md 6.3.
//
// An action whose call is still open is waited for before it is compensated, so that the
// compensation does not overtake it; the call's timeout bounds the wait.

#include "engine/plan.h"
#include "engine/saga_steps.h"

namespace troth {
namespace {

// Whether the step was started or could have been: that all its predecessors have succeeded is all
// a crashed server leaves behind of a call it had open. Compensation goes in reverse, so a step
// behind a compensated one is settled and not in question any more.
bool MayHaveRun(const SagaSteps& steps, const PassState& pass, size_t step) {
  if (steps.action(step).status != BranchStatus::kPrepared) return true;
  if (pass.row(steps.action_row(step)) != RowState::kIdle) return true;
  return steps.AllBefore(step, [&](size_t before) {
    return steps.action(before).status == BranchStatus::kSucceeded &&
           steps.compensate(before).status != BranchStatus::kSucceeded;
  });
}

// By step: true once nothing is left to compensate in it.
std::vector<bool> Settled(const SagaSteps& steps, const PassState& pass) {
  std::vector<bool> settled(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    settled[i] =
        steps.compensate(i).status == BranchStatus::kSucceeded || !MayHaveRun(steps, pass, i);
  }
  return settled;
}

// By step: true while a step that came after it is not settled.
std::vector<bool> Blocked(const SagaSteps& steps, const std::vector<bool>& settled) {
  std::vector<bool> blocked(steps.size(), false);
  for (size_t i = steps.size(); i-- > 0;) {
    // In a sequence a step behind a settled one may itself be unsettled: what blocks passes on.
    if (settled[i] && !blocked[i]) continue;
    steps.AllBefore(i, [&](size_t before) {
      blocked[before] = true;
      return true;
    });
  }
  return blocked;
}

}  // namespace

NextStep PlanSagaBackward(const Transaction& txn,
                          const PassState& pass,
                          TimePoint now,
                          const EngineOptions& options) {
  const SagaSteps steps(txn);
  if (!steps.well_formed()) return ParkStranded(now, options);
  const std::vector<bool> settled = Settled(steps, pass);
  const std::vector<bool> blocked = Blocked(steps, settled);
  CallBranches calls;
  bool all_settled = true;
  for (size_t i = steps.size(); i-- > 0;) {
    if (settled[i]) continue;
    all_settled = false;
    const size_t row = SagaSteps::compensate_row(i);
    if (blocked[i] || pass.row(row) != RowState::kIdle) continue;
    if (pass.row(SagaSteps::action_row(i)) == RowState::kRunning) continue;
    if (pass.running() + calls.rows.size() < options.limits.parallel_calls_max) {
      calls.rows.push_back(row);
    }
  }
  if (all_settled) return MoveTo{TransStatus::kFailed, ""};
  if (!calls.rows.empty()) return calls;
  if (pass.running() > 0) return Await{};
  return Park{pass.due};
}

}  // namespace troth
