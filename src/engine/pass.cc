// A pass: from a trigger until the transaction has ended or must wait.

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/engine_impl.h"
#include "engine/retry.h"

namespace troth {

void Engine::Impl::StartPass(InFlight& t, TimePoint first_due) {
  if (stopping_) {  // another server, or this one after its restart, takes it at once
    t.txn.leased = false;
    t.txn.next_cron_time = now_;
    return;
  }
  counters_.age_at_pass[static_cast<size_t>(t.txn.type)].Add(now_ - t.txn.create_time);
  const Duration lease = LeaseTime(t.txn, options_);
  t.in_pass = true;
  t.parking = false;
  t.problem.reset();
  t.wake_at.reset();
  t.claimed_until.reset();
  t.pass.Reset(now_, first_due);
  MarkOpenCalls(t);
  t.txn.leased = true;
  t.txn.next_cron_time = now_ + lease;
  t.renew_at = now_ + lease / 2;
}

void Engine::Impl::StartClaimedPass(InFlight& t, TimePoint lease_until) {
  StartPass(t, now_ + options_.retry_interval);
  // The claim's own lease may be shorter than one of our saves, and some of it is over.
  t.lease_until = lease_until;
  t.renew_at = std::min(t.renew_at, now_ + (lease_until - now_) / 2);
}

// Calls that are open are running, others are not: what a call brought while the record was being
// read again is not known, and it is called again.
void Engine::Impl::MarkOpenCalls(InFlight& t) {
  t.pass.Replace(RowState::kRunning, RowState::kIdle);
  if (t.pass.callback == RowState::kRunning) t.pass.callback = RowState::kIdle;
  for (const OpenCall& call : t.calls) {
    if (call.row == kCallbackRow) {
      t.pass.callback = RowState::kRunning;
    } else {
      t.pass.Set(call.row, RowState::kRunning);
    }
  }
}

// Tells those who waited for it how it went.
void Engine::Impl::EndPass(InFlight& t) {
  const bool cut_short = stopping_ && t.exists && !IsFinal(t.txn.status) && !t.problem;
  for (const Waiter& waiter : t.waiters) {
    SendReply(waiter.token,
              cut_short ? Stopping(t.gid)
                        : WaitAnswer(t.txn, t.problem, waiter, options_.strict_wait_result),
              nullptr);
  }
  t.waiters.clear();
  t.in_pass = false;
  t.parking = false;
  t.wake_at.reset();
}

// Plans and acts until something must be waited for.
void Engine::Impl::Advance(InFlight& t) {
  bool again = true;
  while (again && t.in_pass && t.save != OpenSave::kBlocking && !t.loading) {
    t.wake_at.reset();
    const NextStep step = Plan(t.txn, t.pass, now_, options_);
    again = std::visit([&](const auto& s) { return Do(t, s); }, step);
  }
}

bool Engine::Impl::Do(InFlight& t, const CallBranches& step) {
  if (stopping_) return t.pass.running() > 0 ? false : Do(t, Park{now_});
  if (RenewsLeaseFirst(t)) return false;
  for (const size_t row : step.rows) CallRow(t, row);
  return true;
}

// Once the lease is over another server may be at work on the transaction, so a save has to show
// first that none has changed it: the store was slow, or this server stood still.
bool Engine::Impl::RenewsLeaseFirst(InFlight& t) {
  if (now_ < t.lease_until) return false;
  if (t.save == OpenSave::kNone) AskSave(t, OpenSave::kBlocking);
  return true;
}

void Engine::Impl::CallRow(InFlight& t, size_t row) {
  const Branch& branch = t.txn.branches[row];
  if (branch.url.empty()) return RowSucceeded(t, row);  // nothing to call is a success
  t.pass.Set(row, RowState::kRunning);
  t.calls.push_back({++t.last_call, row, now_});
  // The second phase of an xa has no body, whatever its registration brought.
  const bool has_body = t.txn.type != TransType::kXa;
  actions_->push_back(Call{.id = t.id(),
                           .call = t.last_call,
                           .txn = &t.txn,
                           .branch_id = branch.branch_id,
                           .op = branch.op,
                           .url = branch.url,
                           .payload = has_body ? t.txn.payload(branch) : std::string_view(),
                           .timeout = RequestTimeout(t.txn, options_)});
}

bool Engine::Impl::Do(InFlight& t, const CallBack&) {
  if (stopping_) return Do(t, Park{now_});
  if (RenewsLeaseFirst(t)) return false;
  const Transaction& txn = t.txn;
  const bool workflow = txn.type == TransType::kWorkflow;
  t.pass.callback = RowState::kRunning;
  t.calls.push_back({++t.last_call, kCallbackRow, now_});
  const bool has_body = workflow && txn.workflow_input < txn.payloads.size();
  actions_->push_back(
      Call{.id = t.id(),
           .call = t.last_call,
           .txn = &txn,
           .branch_id = "00",
           .op = workflow ? BranchOp::kWorkflow : BranchOp::kMsg,
           .url = txn.query_prepared,
           .payload = has_body ? txn.payloads[txn.workflow_input] : std::string_view(),
           .timeout = RequestTimeout(txn, options_)});
  return true;
}

bool Engine::Impl::Do(InFlight& t, const SaveProgress&) {
  if (t.save == OpenSave::kNone) AskSave(t, OpenSave::kProgress);
  return false;
}

bool Engine::Impl::Do(InFlight& t, const Await& step) {
  t.wake_at = step.until;
  return false;
}

bool Engine::Impl::Do(InFlight& t, const Park& step) {
  if (t.save != OpenSave::kNone) return false;  // asked again when that save is done
  t.parking = true;
  t.txn.leased = false;
  t.txn.next_cron_time = step.until;
  t.txn.update_time = now_;
  AskSave(t, OpenSave::kBlocking);
  return false;
}

bool Engine::Impl::Do(InFlight& t, const MoveTo& step) {
  if (t.save != OpenSave::kNone) return false;
  ChangeStatus(t.txn, step.status, now_);
  if (!step.reason.empty()) {
    t.txn.rollback_reason = step.reason;
    CutText(t.txn.rollback_reason, options_.limits.reason_bytes_max);
  }
  AskSave(t, OpenSave::kBlocking);
  return false;
}

// As after a crash, calls may have been carried out; but what is known is saved, and nobody has to
// wait for the lease to be over.
void Engine::Impl::On(HandBack&) {
  stopping_ = true;
  for (InFlight* t : table_.All()) {
    if (IsIdle(*t)) continue;
    t->calls.clear();
    MarkOpenCalls(*t);
    if (t->in_pass && !t->loading) Do(*t, Park{now_});
    Settle(*t);
  }
}

// --- What came of a call

void Engine::Impl::On(CallDone& done) {
  InFlight* t = table_.Find(done.id);
  if (t == nullptr) return;
  const auto call = std::find_if(t->calls.begin(), t->calls.end(), [&](const OpenCall& open) {
    return open.number == done.call;
  });
  if (call == t->calls.end()) return;
  const OpenCall ended = *call;
  t->calls.erase(call);
  // Without a pass the record is another server's by now; what it does not learn is called again.
  const bool counts = t->in_pass && !t->loading && !IsFinal(t->txn.status);
  if (counts) Learn(*t, ended, done.result);
  Continue(*t);
}

void Engine::Impl::Learn(InFlight& t, const OpenCall& call, CallResult& result) {
  const bool callback = call.row == kCallbackRow;
  std::optional<Attempt> attempt;
  if (result.outcome != BranchOutcome::kSucceeded) {
    attempt = Attempt{.row = callback ? kCallbackAttempt : static_cast<uint32_t>(call.row),
                      .outcome = result.outcome,
                      .time = now_,
                      .latency = now_ - call.started,
                      .error = result.text,
                      .held_back = result.held_back};
    CutText(attempt->error, options_.limits.attempt_error_bytes_max);
  }
  callback ? CallbackDone(t, result) : BranchDone(t, call.row, result);
  if (!attempt) return;
  attempt->next_try = callback ? NextCallback(t) : NextTry(t, call.row);
  AddAttempt(t.txn.attempts,
             *std::move(attempt),
             {options_.limits.attempts_of_branch_max, options_.limits.attempts_max});
}

// When a row that has not succeeded is called again; nothing: a saga rolls back instead.
std::optional<TimePoint> Engine::Impl::NextTry(const InFlight& t, size_t row) const {
  const bool rolls_back = t.txn.status == TransStatus::kAborting || !t.pass.abort_reason.empty();
  const bool saga_action =
      t.txn.type == TransType::kSaga && t.txn.branches[row].op == BranchOp::kAction;
  if (saga_action && rolls_back) return std::nullopt;
  return t.pass.row(row) == RowState::kIdle ? now_ : t.pass.due;
}

// Likewise of the callback; nothing: its client has submitted meanwhile, or a refusal ended the
// msg.
std::optional<TimePoint> Engine::Impl::NextCallback(const InFlight& t) {
  const bool refused = t.pass.callback_outcome == BranchOutcome::kFailed;
  const bool over = refused && t.txn.type == TransType::kMsg;
  if (t.txn.status != TransStatus::kPrepared || over) return std::nullopt;
  return t.pass.due;
}

void Engine::Impl::ChangeRow(InFlight& t, size_t row, BranchStatus status) {
  ChangeStatus(t.txn.branches[row], status, now_);
  t.changed_rows.push_back(static_cast<uint32_t>(row));
}

void Engine::Impl::BranchDone(InFlight& t, size_t row, CallResult& result) {
  const Branch& branch = t.txn.branches[row];
  if (t.txn.type == TransType::kSaga && branch.op == BranchOp::kAction) {
    return SagaActionDone(t, row, result);
  }
  if (result.outcome == BranchOutcome::kSucceeded) return RowSucceeded(t, row);
  RowUndecided(t, row, result);
}

void Engine::Impl::SagaActionDone(InFlight& t, size_t row, CallResult& result) {
  const bool rolls_back = t.txn.status == TransStatus::kAborting || !t.pass.abort_reason.empty();
  if (result.outcome == BranchOutcome::kFailed) {
    const Branch& branch = t.txn.branches[row];
    ChangeRow(t, row, BranchStatus::kFailed);
    t.pass.Set(row, RowState::kIdle);
    MarkDirty(t);
    if (rolls_back) return;
    t.pass.abort_reason = Cat("url:", branch.url, " return failed: ", result.text);
    return TouchSucceeded(t.txn, t.pass, now_, options_);
  }
  if (rolls_back) {
    const bool succeeded = result.outcome == BranchOutcome::kSucceeded;
    return t.pass.Set(row, succeeded ? RowState::kSucceededLate : RowState::kAnswered);
  }
  if (result.outcome == BranchOutcome::kSucceeded) return RowSucceeded(t, row);
  RowUndecided(t, row, result);
  RetrySagaAction(t, row);
}

void Engine::Impl::RowSucceeded(InFlight& t, size_t row) {
  const Branch& branch = t.txn.branches[row];
  ChangeRow(t, row, BranchStatus::kSucceeded);
  const bool saga = t.txn.type == TransType::kSaga;
  t.pass.Set(row, saga ? RowState::kUnsaved : RowState::kIdle);
  if (branch.op == BranchOp::kCompensate && t.pass.row(row + 1) == RowState::kSucceededLate) {
    ChangeRow(t, row + 1, BranchStatus::kSucceeded);
  }
  TouchSucceeded(t.txn, t.pass, now_, options_);
  MarkDirty(t);
}

// Ongoing, unknown, or a refusal where there is nothing to refuse: asked again in a later pass.
void Engine::Impl::RowUndecided(InFlight& t, size_t row, CallResult& result) {
  t.pass.Set(row, RowState::kAnswered);
  MarkDirty(t);
  if (result.outcome == BranchOutcome::kOngoing) {
    TouchOngoing(t.txn, t.pass, now_, options_);
  } else {
    TouchUnknown(t.txn, t.pass, now_, options_, result.hold);
    AlertOf(t, t.txn.branches[row].url, result.text);
  }
  if (!t.problem) t.problem = std::move(result);
}

// With a retry_limit an undecided action is called again at once, until the tries are used up.
void Engine::Impl::RetrySagaAction(InFlight& t, size_t row) {
  Transaction& txn = t.txn;
  if (txn.options.retry_limit <= 0) return;
  if (txn.retry_count >= txn.options.retry_limit) {
    t.pass.abort_reason =
        Cat("RetryCount is greater than RetryLimit, RetryLimit: ", txn.options.retry_limit);
    return;
  }
  ++txn.retry_count;
  const int64_t tries = txn.retry_count - txn.options.retry_count;
  if (tries <= options_.limits.immediate_retries_max) t.pass.Set(row, RowState::kIdle);
}

void Engine::Impl::CallbackDone(InFlight& t, CallResult& result) {
  t.pass.callback = RowState::kAnswered;
  t.pass.callback_outcome = result.outcome;
  Transaction& txn = t.txn;
  if (txn.status != TransStatus::kPrepared) return;  // its client has submitted meanwhile
  const bool msg = txn.type == TransType::kMsg;
  switch (result.outcome) {
    case BranchOutcome::kSucceeded:  // the planner moves a msg on; a workflow submits by itself
    case BranchOutcome::kOngoing: return TouchReset(txn, t.pass, now_, options_);
    case BranchOutcome::kFailed:
      if (msg) return;
      [[fallthrough]];
    case BranchOutcome::kUnknown:
      TouchUnknown(txn, t.pass, now_, options_, result.hold);
      if (!msg) AlertOf(t, txn.query_prepared, result.text);
  }
}

void Engine::Impl::AlertOf(InFlight& t, std::string_view url, const std::string& text) {
  const int64_t count = Doublings(t.txn, options_);
  if (!options_.alerts || count < options_.alert_retry_limit) return;
  actions_->push_back(
      Alert{.txn = &t.txn, .url = url, .error = UnknownResultText(text), .retry_count = count});
}

void Engine::Impl::MarkDirty(InFlight& t) {
  if (!t.dirty) t.dirty_since = now_;
  t.dirty = true;
}

}  // namespace troth
