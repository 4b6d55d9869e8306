#include "engine/plan.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "engine/retry.h"

namespace troth {

void PassState::Reset(TimePoint now, TimePoint first_due) {
  due = first_due;
  touched = now;
  callback = RowState::kIdle;
  abort_reason.clear();
  rows_.clear();
  running_ = 0;
  answered_ = 0;
}

void PassState::Set(size_t i, RowState state) {
  if (i >= rows_.size()) rows_.resize(i + 1, RowState::kIdle);
  if (rows_[i] == RowState::kRunning) --running_;
  if (rows_[i] == RowState::kAnswered) --answered_;
  if (state == RowState::kRunning) ++running_;
  if (state == RowState::kAnswered) ++answered_;
  rows_[i] = state;
}

void PassState::Replace(RowState from, RowState to) {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i] == from) Set(i, to);
  }
}

NextStep PlanRow(size_t row, const PassState& pass) {
  switch (pass.row(row)) {
    case RowState::kIdle:
    case RowState::kUnsaved:
    case RowState::kSaving:
    case RowState::kSucceededLate: return CallBranches{{row}};
    case RowState::kRunning: return Await{};
    case RowState::kAnswered: return Park{pass.due};
  }
  std::abort();
}

Park ParkStranded(TimePoint now, const EngineOptions& options) {
  return Park{now + Seconds(options.limits.retry_interval_max)};
}

NextStep PlanPrepared(const Transaction& txn, TimePoint now, const EngineOptions& options) {
  const Duration timeout = TimeoutToFail(txn, options);
  const TimePoint end = txn.create_time + timeout;
  if (now < end) return Park{end};
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
  return MoveTo{TransStatus::kAborting, Cat("Timeout after ", seconds, " seconds")};
}

namespace {

NextStep PlanSaga(const Transaction& txn,
                  const PassState& pass,
                  TimePoint now,
                  const EngineOptions& options) {
  switch (txn.status) {
    case TransStatus::kSubmitted: return PlanSagaForward(txn, pass, now, options);
    case TransStatus::kAborting: return PlanSagaBackward(txn, pass, now, options);
    case TransStatus::kPrepared:
    case TransStatus::kSucceeded:
    case TransStatus::kFailed: return ParkStranded(now, options);
  }
  std::abort();
}

}  // namespace

NextStep Plan(const Transaction& txn,
              const PassState& pass,
              TimePoint now,
              const EngineOptions& options) {
  switch (txn.type) {
    case TransType::kMsg: return PlanMsg(txn, pass, now, options);
    case TransType::kSaga: return PlanSaga(txn, pass, now, options);
    case TransType::kTcc: return PlanTcc(txn, pass, now, options);
    case TransType::kXa: return PlanXa(txn, pass, now, options);
    case TransType::kWorkflow: return PlanWorkflow(txn, pass, now, options);
  }
  std::abort();
}

}  // namespace troth
