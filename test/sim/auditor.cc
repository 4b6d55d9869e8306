#include "auditor.h"

#include <algorithm>

#include "base/text.h"

namespace troth::sim {
namespace {

// How often one operation of one branch may be called within ten seconds: the immediate further
// tries of a saga, a pass each second on each of a few servers, and what clients and operators set
// off.
constexpr size_t kCallsMax = 30;
constexpr Duration kCallsWindow = Seconds(10);

// Told while the transaction goes on: neither success nor the promise of a rollback.
bool LeavesOpen(std::string_view message) {
  return message == "wait result not return success: FAILURE" ||
         message.find("result will be retried") != message.npos;
}

bool Final(TransStatus status) {
  return status == TransStatus::kSucceeded || status == TransStatus::kFailed;
}

// Which status may follow which, the first one included.
bool Allowed(TransType type, TransStatus from, TransStatus to) {
  switch (from) {
    case TransStatus::kPrepared:
      if (to == TransStatus::kSucceeded) return type == TransType::kWorkflow;
      if (to == TransStatus::kFailed)
        return type == TransType::kMsg || type == TransType::kWorkflow;
      if (to == TransStatus::kAborting) return type == TransType::kTcc || type == TransType::kXa;
      return true;
    case TransStatus::kSubmitted:
      if (to == TransStatus::kAborting) return type == TransType::kSaga;
      return to == TransStatus::kSubmitted || to == TransStatus::kSucceeded;
    case TransStatus::kAborting: return to == TransStatus::kAborting || to == TransStatus::kFailed;
    case TransStatus::kSucceeded:
    case TransStatus::kFailed: return false;
  }
  return false;
}

bool Undoes(std::string_view op) {
  return op == "compensate" || op == "cancel" || op == "rollback";
}
bool Confirms(std::string_view op) { return op == "confirm" || op == "commit"; }

void Lengthen(TimePoint& lease, TimePoint until) { lease = std::max(lease, until); }

}  // namespace

void Auditor::Violation(std::string what) {
  context_.log.Add("VIOLATION: ", what);
  violations_.push_back(std::move(what));
}

// --- What becomes durable

void Auditor::OnStored(const Incarnation& by, const SaveRecord& save) {
  if (by.life < lives_[by.server]) context_.marks.Reached(Mark::kSaveOfDeadServer);
  History& history = history_[save.gid];
  const TransStatus to = save.index.status;
  if (history.version == 0) {
    history.creator = by;
    history.first_stored = context_.scheduler.now();
    if (to != TransStatus::kPrepared && to != TransStatus::kSubmitted) {
      Violation(Cat(save.gid, " began as ", WireName(to)));
    }
  } else {
    CheckEdge(save.gid, history, save);
  }
  const TransStatus from = history.status;
  if (history.version > 0 && from != to) {
    CheckReasonToAbort(save.gid, history, to);
    MarkEnd(workload_.of(save.gid), history, from, to);
    if (Final(to) && by != history.creator) {
      context_.marks.Reached(Mark::kEndedByAnotherServer);
    }
  }
  history.version = save.version;
  history.status = to;
  if (save.index.leased) Lengthen(history.leases[by], save.index.due);
}

void Auditor::OnClaimed(const Incarnation& by, const std::string& gid, TimePoint lease_until) {
  Lengthen(history_[gid].leases[by], lease_until);
}

void Auditor::CheckEdge(const std::string& gid, const History& history, const SaveRecord& save) {
  const bool stopped = history.stop_asked && save.index.status == TransStatus::kFailed;
  if (!stopped && !Allowed(save.index.type, history.status, save.index.status)) {
    Violation(
        Cat(gid, " went from ", WireName(history.status), " to ", WireName(save.index.status)));
  }
  if (save.version <= history.version) {
    Violation(Cat(gid, " went from version ", history.version, " to ", save.version));
  }
}

// Nobody rolls back without a reason: a refusal, the client's wish, or a limit that it set.
void Auditor::CheckReasonToAbort(const std::string& gid, const History& history, TransStatus to) {
  const TransferSpec& spec = workload_.of(gid);
  const bool fails_at_once = spec.type == TransType::kMsg || spec.type == TransType::kWorkflow;
  const bool aborts = to == TransStatus::kAborting || (fails_at_once && to == TransStatus::kFailed);
  if (!aborts || history.refused || history.abort_asked || history.stop_asked) return;
  const bool has_limit = spec.type == TransType::kTcc || spec.type == TransType::kXa ||
                         spec.options.timeout_to_fail > 0 || spec.options.retry_limit > 0;
  if (!has_limit) Violation(Cat(gid, " rolls back although nobody refused anything"));
}

void Auditor::MarkEnd(const TransferSpec& spec,
                      const History& history,
                      TransStatus from,
                      TransStatus to) {
  Marks& marks = context_.marks;
  switch (spec.type) {
    case TransType::kMsg:
      if (from == TransStatus::kPrepared && to == TransStatus::kFailed && !history.abort_asked) {
        marks.Reached(Mark::kMsgCheckedBackAndDropped);
      }
      if (to == TransStatus::kSucceeded && spec.msg_delay > 0) marks.Reached(Mark::kMsgDelayed);
      return;
    case TransType::kSaga:
      if (Final(to) && spec.saga_concurrent) marks.Reached(Mark::kSagaConcurrentEnds);
      if (to != TransStatus::kAborting) return;
      if (history.refused) return marks.Reached(Mark::kSagaByRefusal);
      return marks.Reached(spec.options.timeout_to_fail > 0 ? Mark::kSagaByTimeout
                                                            : Mark::kSagaByRetryLimit);
    case TransType::kTcc:
      if (to == TransStatus::kSucceeded) marks.Reached(Mark::kTccConfirmed);
      if (to != TransStatus::kAborting) return;
      return marks.Reached(history.abort_asked ? Mark::kTccCancelledByClient
                                               : Mark::kTccCancelledByTimeout);
    case TransType::kXa:
      if (to == TransStatus::kSucceeded) marks.Reached(Mark::kXaCommitted);
      if (to == TransStatus::kFailed) marks.Reached(Mark::kXaRolledBack);
      return;
    case TransType::kWorkflow:
      if (to == TransStatus::kSucceeded) marks.Reached(Mark::kWorkflowSucceeded);
      if (to == TransStatus::kFailed) marks.Reached(Mark::kWorkflowRolledBack);
      return;
  }
}

// --- What clients are told

void Auditor::OnAnswer(const Request& request, const Reply& reply) {
  const std::string& gid = request.draft.gid;
  History& history = history_[gid];
  context_.log.Add("answer to ",
                   gid,
                   " request ",
                   static_cast<int>(request.kind),
                   ": code ",
                   static_cast<int>(reply.code),
                   " ",
                   reply.message);
  if (request.kind == RequestKind::kSubmit) CheckSubmitAnswer(request, reply);
  if (reply.code != ReplyCode::kOk) return;
  history.acknowledged = true;
  if (history.version == 0) Violation(Cat(gid, " is acknowledged and not durable"));
  if (request.kind == RequestKind::kForceStop) {
    context_.marks.Reached(Mark::kForceStopped);
    if (history.status != TransStatus::kFailed) {
      Violation(Cat(gid, ": a force stop is acknowledged while it is ", WireName(history.status)));
    }
  }
  if (request.kind != RequestKind::kAbort) return;
  const bool may_wait = workload_.of(gid).options.wait_result;
  const bool aborts = history.status == TransStatus::kAborting && !may_wait;
  if (!aborts && history.status != TransStatus::kFailed) {
    Violation(Cat(gid, ": an abort is acknowledged while it is ", WireName(history.status)));
  }
}

void Auditor::CheckSubmitAnswer(const Request& request, const Reply& reply) {
  const std::string& gid = request.draft.gid;
  const TransStatus status = history_[gid].status;
  const bool waits = workload_.of(gid).options.wait_result;
  Marks& marks = context_.marks;
  if (reply.code == ReplyCode::kOk) {
    if (waits) marks.Reached(Mark::kWaiterToldSuccess);
    const bool true_word =
        waits ? status == TransStatus::kSucceeded : status != TransStatus::kPrepared;
    if (!true_word)
      Violation(Cat(gid, ": a submit is told success while it is ", WireName(status)));
  } else if (reply.code == ReplyCode::kFailure && !LeavesOpen(reply.message)) {
    if (waits) marks.Reached(Mark::kWaiterToldFailure);
    if (status == TransStatus::kPrepared || status == TransStatus::kSubmitted) {
      Violation(Cat(gid, ": a submit is told failure while it is ", WireName(status)));
    }
  } else if (waits) {
    marks.Reached(reply.code == ReplyCode::kError ? Mark::kWaiterToldError
                                                  : Mark::kWaiterToldOngoing);
  }
}

void Auditor::OnEnded(const Transaction& txn) {
  const History& history = history_[txn.gid];
  if (history.status != txn.status) {
    Violation(Cat(txn.gid,
                  " is said to have ended as ",
                  WireName(txn.status),
                  " while it is ",
                  WireName(history.status)));
  }
}

// --- What servers and services do

void Auditor::OnCall(const Incarnation& by,
                     TimePoint by_its_clock,
                     const std::string& gid,
                     const std::string& branch_id,
                     const std::string& op) {
  History& history = history_[gid];
  Operation& operation = history.operations[{branch_id, op}];
  context_.log.Add("server", by.server, ".", by.life, " calls ", gid, "/", branch_id, " ", op);
  CheckRate(gid, op, operation);
  CheckLease(by, by_its_clock, gid, history);
  if (history.version == 0) Violation(Cat(gid, " is called and not durable"));
  if (!operation.callers.empty() && !operation.callers.contains(by)) {
    context_.marks.Reached(Mark::kTwoServersCall);
  }
  operation.callers.insert(by);
  if (op == "msg" || op == "workflow") return;
  // Servers that do not know yet that it was stopped go on for a moment.
  if (history.stop_asked) return;
  CheckDecided(gid, history, op);
  CheckOrder(gid, history, branch_id, op);
  if (op != "action") return;
  const auto undo = history.operations.find({branch_id, "compensate"});
  if (undo == history.operations.end() || undo->second.callers.empty()) return;
  if (undo->second.callers.contains(by)) {
    Violation(Cat(gid, "/", branch_id, ": the action is called after its compensation"));
  } else {
    context_.marks.Reached(Mark::kStaleServerCalls);  // the barrier stops it
  }
}

void Auditor::CheckDecided(const std::string& gid, const History& history, std::string_view op) {
  const TransStatus status = history.status;
  const bool undoes = Undoes(op);
  const bool decided = undoes ? status == TransStatus::kAborting || status == TransStatus::kFailed
                              : status != TransStatus::kPrepared;
  if (!decided) Violation(Cat(gid, ": ", op, " is called while it is durably ", WireName(status)));
  if (!undoes && !Confirms(op)) return;
  const bool never = undoes ? status == TransStatus::kSucceeded
                            : status == TransStatus::kAborting || status == TransStatus::kFailed;
  if (never) Violation(Cat(gid, ": ", op, " is called although it is ", WireName(status)));
}

// A saga's step comes after those before it; a tcc confirms and cancels last registered first, an
// xa first registered first.
void Auditor::CheckOrder(const std::string& gid,
                         History& history,
                         const std::string& branch_id,
                         std::string_view op) {
  const TransferSpec& spec = workload_.of(gid);
  (Undoes(op) ? history.undoing : history.confirming) = true;
  if (history.undoing && history.confirming && spec.type != TransType::kSaga) {
    Violation(Cat(gid, ": both confirmed and cancelled"));
  }
  const auto done = [&](size_t branch) {
    return history.operations[{spec.branches[branch].branch_id, std::string(op)}].done;
  };
  const size_t self = static_cast<size_t>(branch_id[1] - '1');
  const auto require = [&](size_t before) {
    if (!done(before)) {
      Violation(Cat(gid,
                    "/",
                    branch_id,
                    " ",
                    op,
                    " is called before that of ",
                    spec.branches[before].branch_id));
    }
  };
  const bool sequential = (spec.type == TransType::kSaga && !spec.saga_concurrent) ||
                          (spec.type == TransType::kMsg && !spec.options.concurrent);
  if (op == "action" && sequential && self > 0) require(self - 1);
  if (op == "action" && spec.type == TransType::kSaga) {
    for (const StepOrder& order : spec.saga_orders) {
      if (order.step != self) continue;
      for (const uint32_t before : order.after) require(before);
    }
  }
  if (op == "confirm") {
    for (size_t later = self + 1; later < spec.branches.size(); ++later) require(later);
  }
  if (op == "commit" && self > 0) require(self - 1);
  if (op == "compensate") CheckCompensationOrder(spec, history, self);
}

// What came after a step, and was called, is undone before it.
void Auditor::CheckCompensationOrder(const TransferSpec& spec, History& history, size_t step) {
  const auto require_undone = [&](size_t later) {
    const std::string& id = spec.branches[later].branch_id;
    if (history.operations[{id, "action"}].callers.empty()) return;
    if (history.operations[{id, "compensate"}].done) return;
    Violation(Cat(spec.gid,
                  "/",
                  spec.branches[step].branch_id,
                  " is compensated before ",
                  id,
                  ", which came after it"));
  };
  if (!spec.saga_concurrent) {
    for (size_t later = step + 1; later < spec.branches.size(); ++later) require_undone(later);
  }
  for (const StepOrder& order : spec.saga_orders) {
    if (std::count(order.after.begin(), order.after.end(), step) > 0) require_undone(order.step);
  }
}

// Past its lease another server may be at work: nothing is started before a save has renewed it.
void Auditor::CheckLease(const Incarnation& by,
                         TimePoint by_its_clock,
                         const std::string& gid,
                         const History& history) {
  const auto lease = history.leases.find(by);
  if (lease != history.leases.end() && by_its_clock < lease->second) return;
  Violation(Cat(gid, " is called by server", by.server, " without a lease, or past it"));
}

void Auditor::CheckRate(const std::string& gid, const std::string& op, Operation& operation) {
  const TimePoint now = context_.scheduler.now();
  std::deque<TimePoint>& recent = operation.recent_calls;
  while (!recent.empty() && recent.front() + kCallsWindow < now) recent.pop_front();
  recent.push_back(now);
  if (recent.size() == kCallsMax + 1) {
    Violation(Cat(gid, ": ", op, " is called more than ", kCallsMax, " times in ten seconds"));
  }
}

void Auditor::OnDone(const std::string& gid, const std::string& branch_id, const std::string& op) {
  history_[gid].operations[{branch_id, op}].done = true;
}

void Auditor::OnRefused(const std::string& gid, const std::string& op) {
  if (op == "action" || op == "msg") history_[gid].refused = true;
}

std::vector<std::string> Auditor::Unfinished() const {
  std::vector<std::string> gids;
  for (const auto& [gid, history] : history_) {
    if (history.version > 0 && !Final(history.status)) gids.push_back(gid);
  }
  return gids;
}

}  // namespace troth::sim
