// A msg: prepared until its sender submits or the check-back says what became of it; then its
// actions are called until all have succeeded. It never rolls back once submitted.
// protocol/server.md 6.1, 7.2.

#include <cstdlib>

#include "engine/plan.h"
#include "engine/retry.h"

namespace troth {
namespace {

NextStep PlanPreparedMsg(const Transaction& txn,
                         const PassState& pass,
                         TimePoint now,
                         const EngineOptions& options) {
  const TimePoint end = txn.create_time + TimeoutToFail(txn, options);
  if (now < end) return Park{end};
  // An empty URL counts as success everywhere, here too: such a message is sent.
  if (txn.query_prepared.empty()) return MoveTo{TransStatus::kSubmitted, ""};
  if (pass.callback == RowState::kIdle) return CallBack{};
  if (pass.callback == RowState::kRunning) return Await{};
  switch (pass.callback_outcome) {
    case BranchOutcome::kSucceeded: return MoveTo{TransStatus::kSubmitted, ""};
    case BranchOutcome::kFailed: return MoveTo{TransStatus::kFailed, ""};
    case BranchOutcome::kOngoing:
    case BranchOutcome::kUnknown: return Park{pass.due};
  }
  std::abort();
}

bool IsOpen(const Branch& branch) {
  return branch.op == BranchOp::kAction && branch.status != BranchStatus::kSucceeded;
}

NextStep PlanSequential(const Transaction& txn, const PassState& pass) {
  for (size_t i = 0; i < txn.branches.size(); ++i) {
    if (IsOpen(txn.branches[i])) return PlanRow(i, pass);
  }
  return MoveTo{TransStatus::kSucceeded, ""};
}

NextStep PlanConcurrent(const Transaction& txn, const PassState& pass, size_t parallel_max) {
  CallBranches calls;
  bool all_done = true;
  for (size_t i = 0; i < txn.branches.size(); ++i) {
    if (!IsOpen(txn.branches[i])) continue;
    all_done = false;
    if (pass.row(i) != RowState::kIdle) continue;
    if (pass.running() + calls.rows.size() < parallel_max) calls.rows.push_back(i);
  }
  if (all_done) return MoveTo{TransStatus::kSucceeded, ""};
  if (!calls.rows.empty()) return calls;
  if (pass.running() > 0) return Await{};
  return Park{pass.due};
}

}  // namespace

NextStep PlanMsg(const Transaction& txn,
                 const PassState& pass,
                 TimePoint now,
                 const EngineOptions& options) {
  if (txn.status == TransStatus::kPrepared) return PlanPreparedMsg(txn, pass, now, options);
  if (txn.status != TransStatus::kSubmitted) return ParkStranded(now, options);
  const TimePoint deliver = txn.create_time + BoundedSeconds(txn.msg_delay, options);
  if (now < deliver) return Park{deliver};
  if (txn.options.concurrent) return PlanConcurrent(txn, pass, options.limits.parallel_calls_max);
  return PlanSequential(txn, pass);
}

}  // namespace troth
