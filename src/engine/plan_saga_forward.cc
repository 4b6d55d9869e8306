// A submitted saga: its actions are called, one after the other or as its orders allow, until all
// have succeeded or there is a reason to roll back. protocol/server.md 6.3.
//
// A step starts only once the success of the steps before it is durable. After a crash the record
// must show which steps may have run, since those are what a rollback compensates; a repeated call
// would be harmless, a forgotten compensation not.

#include <algorithm>

#include "base/text.h"
#include "engine/plan.h"
#include "engine/retry.h"
#include "engine/saga_steps.h"

namespace troth {
namespace {

std::optional<TimePoint> TimeoutOf(const Transaction& txn, const EngineOptions& options) {
  if (txn.options.timeout_to_fail <= 0) return std::nullopt;
  return txn.create_time + BoundedSeconds(txn.options.timeout_to_fail, options);
}

// Why the saga must roll back now; empty: it need not.
std::string AbortReason(const SagaSteps& steps,
                        const Transaction& txn,
                        const PassState& pass,
                        std::optional<TimePoint> timeout,
                        TimePoint now) {
  if (!pass.abort_reason.empty()) return pass.abort_reason;
  for (size_t i = 0; i < steps.size(); ++i) {
    // Saved as failed by a server that ended before it saved the decision.
    if (steps.action(i).status == BranchStatus::kFailed) return "fail message lost";
  }
  if (timeout && now >= *timeout) {
    return Cat("Timeout after ", txn.options.timeout_to_fail, " seconds");
  }
  return {};
}

// What the steps of a saga that goes forward are up to.
struct Progress {
  CallBranches startable;
  bool all_succeeded = true;
  bool waits_for_save = false;   // a step could start if a success were durable
  bool waits_for_retry = false;  // a step was answered without a decision
};

bool IsDurable(RowState state) { return state != RowState::kUnsaved && state != RowState::kSaving; }

Progress Look(const SagaSteps& steps, const PassState& pass, size_t parallel_max) {
  Progress progress;
  const auto succeeded = [&](size_t step) {
    return steps.action(step).status == BranchStatus::kSucceeded;
  };
  const auto durable = [&](size_t step) { return IsDurable(pass.row(steps.action_row(step))); };
  for (size_t i = 0; i < steps.size(); ++i) {
    if (succeeded(i)) continue;
    progress.all_succeeded = false;
    const RowState state = pass.row(steps.action_row(i));
    progress.waits_for_retry |= state == RowState::kAnswered;
    if (state != RowState::kIdle || !steps.AllBefore(i, succeeded)) continue;
    if (!steps.AllBefore(i, durable)) {
      progress.waits_for_save = true;
    } else if (pass.running() + progress.startable.rows.size() < parallel_max) {
      progress.startable.rows.push_back(steps.action_row(i));
    }
  }
  return progress;
}

}  // namespace

NextStep PlanSagaForward(const Transaction& txn,
                         const PassState& pass,
                         TimePoint now,
                         const EngineOptions& options) {
  const SagaSteps steps(txn);
  if (!steps.well_formed()) return ParkStranded(now, options);
  Progress progress = Look(steps, pass, options.limits.parallel_calls_max);
  if (progress.all_succeeded) return MoveTo{TransStatus::kSucceeded, ""};

  const std::optional<TimePoint> timeout = TimeoutOf(txn, options);
  std::string reason = AbortReason(steps, txn, pass, timeout, now);
  if (!reason.empty()) return MoveTo{TransStatus::kAborting, std::move(reason)};
  if (!progress.startable.rows.empty()) return std::move(progress.startable);
  if (progress.waits_for_save) return SaveProgress{};
  if (pass.running() > 0) return Await{timeout};
  if (progress.waits_for_retry) return Park{std::min(pass.due, timeout.value_or(pass.due))};
  return MoveTo{TransStatus::kAborting, "the orders of the steps form a circle: none can start"};
}

}  // namespace troth
