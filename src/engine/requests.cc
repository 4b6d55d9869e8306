#include "engine/requests.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "engine/merge.h"
#include "engine/retry.h"

namespace troth {
namespace {

constexpr int kGrpcResourceExhausted = 8;

// Whether a server, this or another, is working on it.
bool IsLeased(const Transaction& txn, TimePoint now) {
  return txn.leased && now < txn.next_cron_time;
}

bool TypeDiffers(const Request& request, const Transaction& txn) {
  return request.type_given && request.draft.type != txn.type;
}

Answer TypeMismatch(const Request& request, const Transaction& txn) {
  return Failure(Cat("trans type: '",
                     WireName(request.draft.type),
                     "' does not match the stored trans type '",
                     WireName(txn.type),
                     "' of gid: ",
                     txn.gid,
                     ". FAILURE"));
}

Answer NoSuchTransaction(const std::string& gid) {
  return InternalError(Cat("no TransGlobal with gid: ", gid, " found"));
}

Answer NoPreparedTransaction(const std::string& gid) {
  return Failure(Cat("no trans with gid: ", gid, " status: prepared found FAILURE"));
}

Answer CannotAbort(const Transaction& txn) {
  return Failure(Cat("trans type: '",
                     WireName(txn.type),
                     "' current status '",
                     WireName(txn.status),
                     "', cannot abort. FAILURE"));
}

bool IsWorkflowSubmit(const Request& request) {
  return request.kind == RequestKind::kSubmit && request.draft.type == TransType::kWorkflow;
}

// A submitted transaction begins to run, or waits for the delay its sender asked for.
void BeginSubmitted(Transaction& txn,
                    TimePoint now,
                    const EngineOptions& options,
                    RequestEffects& effects) {
  effects.save = true;
  effects.run = txn.type != TransType::kMsg || txn.msg_delay <= 0;
  if (effects.run) return;
  txn.leased = false;
  txn.next_cron_time = now + BoundedSeconds(txn.msg_delay, options);
  effects.wait = true;
}

Answer ApplyPrepare(const Transaction& txn) {
  if (txn.status == TransStatus::kPrepared) return {};
  return Failure(Cat("current status '", WireName(txn.status), "', cannot prepare. FAILURE"));
}

// The end of a workflow, told by the client that ran it.
Answer SubmitWorkflow(const Request& request,
                      Transaction& txn,
                      TimePoint now,
                      const EngineOptions& options,
                      RequestEffects& effects) {
  const bool succeeded = request.workflow_status == WireName(TransStatus::kSucceeded);
  const TransStatus status = succeeded ? TransStatus::kSucceeded : TransStatus::kFailed;
  if (txn.status == status) return {};  // told again after a lost reply
  if (txn.status != TransStatus::kPrepared) return InternalError("storage: NotFound");
  ChangeStatus(txn, status, now);
  if (!succeeded) {
    txn.rollback_reason = request.rollback_reason;
    CutText(txn.rollback_reason, options.limits.reason_bytes_max);
  }
  if (!request.workflow_result.empty()) txn.result = request.workflow_result;
  effects.save = true;
  return {};
}

Answer ApplySubmit(const Request& request,
                   Transaction& txn,
                   TimePoint now,
                   const EngineOptions& options,
                   RequestEffects& effects) {
  if (TypeDiffers(request, txn)) return TypeMismatch(request, txn);
  if (txn.type == TransType::kWorkflow) {
    return SubmitWorkflow(request, txn, now, options, effects);
  }
  const Answer ok{.wait = request.draft.options.wait_result};
  if (txn.status == TransStatus::kPrepared) {
    effects.fixed_changed = MergeSubmit(request.draft, txn);
    if (effects.fixed_changed) txn.next_cron_interval = BaseInterval(txn, options);
    ChangeStatus(txn, TransStatus::kSubmitted, now);
    BeginSubmitted(txn, now, options, effects);
    return ok;
  }
  if (txn.status == TransStatus::kSubmitted) {
    // Someone works on it, or it is tried now instead of later; only a delay is not cut short.
    effects.run = !IsLeased(txn, now) && txn.msg_delay <= 0;
    effects.save = effects.run;  // takes the lease
    return ok;
  }
  return Failure(Cat("current status '", WireName(txn.status), "', cannot sumbmit. FAILURE"));
}

Answer ApplyAbort(const Request& request,
                  Transaction& txn,
                  TimePoint now,
                  const EngineOptions& options,
                  RequestEffects& effects) {
  if (TypeDiffers(request, txn)) return TypeMismatch(request, txn);
  if (txn.type == TransType::kMsg && txn.status == TransStatus::kPrepared) {
    ChangeStatus(txn, TransStatus::kFailed, now);
    effects.save = true;
    return {};
  }
  const bool two_phase = txn.type == TransType::kTcc || txn.type == TransType::kXa;
  const bool prepared = txn.status == TransStatus::kPrepared;
  if (!two_phase || !request.type_given || (!prepared && txn.status != TransStatus::kAborting)) {
    return CannotAbort(txn);
  }
  std::string reason = request.rollback_reason;
  CutText(reason, options.limits.reason_bytes_max);
  const bool new_reason = !reason.empty() && reason != txn.rollback_reason;
  if (new_reason) txn.rollback_reason = std::move(reason);
  effects.run = prepared || new_reason || !IsLeased(txn, now);
  effects.save = effects.run;
  if (effects.run) ChangeStatus(txn, TransStatus::kAborting, now);
  return {.wait = txn.options.wait_result};
}

// Whether `row` of the request says the same as the stored `branch`.
bool SaysTheSame(const Request& request, const Branch& row, const Transaction& txn, size_t stored) {
  const Branch& branch = txn.branches[stored];
  return row.status == branch.status && row.url == branch.url &&
         request.draft.payload(row) == txn.payload(branch);
}

enum class Known { kNew, kSame, kDifferent };

Known Compare(const Request& request, const Transaction& txn) {
  Known known = Known::kNew;
  for (const Branch& row : request.draft.branches) {
    const std::optional<size_t> stored = FindBranch(txn, row.branch_id, row.op);
    if (!stored) continue;
    if (!SaysTheSame(request, row, txn, *stored)) return Known::kDifferent;
    known = Known::kSame;
  }
  return known;
}

// Copies: the request stays whole, since it is applied again if another server's save came first.
void AppendRows(const Request& request, Transaction& txn, TimePoint now) {
  const auto payloads = static_cast<uint32_t>(txn.payloads.size());
  for (const std::string& payload : request.draft.payloads) txn.payloads.push_back(payload);
  for (const Branch& row : request.draft.branches) {
    Branch& added = txn.branches.emplace_back(row);
    if (added.payload != kNoPayload) added.payload += payloads;
    added.create_time = now;
    added.update_time = now;
  }
}

// The answer to a row that a workflow, which may run twice at once, has to register no more.
std::optional<Answer> AnswerWorkflowStep(const Transaction& txn, Known known) {
  // Interrupted, it registers its recorded progress again; running late, what the other run did.
  if (known == Known::kSame) return Answer{};
  // Not a FAILURE: the client would take it for one of the step, and undo what has succeeded.
  if (txn.status == TransStatus::kSucceeded) {
    return Error(
        Cat("the workflow with gid: ", txn.gid, " has succeeded already, without this step"));
  }
  return std::nullopt;
}

Answer ApplyRegister(const Request& request,
                     Transaction& txn,
                     TimePoint now,
                     const EngineOptions& options,
                     RequestEffects& effects) {
  const Known known = Compare(request, txn);
  if (txn.type == TransType::kWorkflow && request.draft.type == TransType::kWorkflow) {
    if (std::optional<Answer> answer = AnswerWorkflowStep(txn, known)) return *std::move(answer);
  }
  if (txn.status != TransStatus::kPrepared) return NoPreparedTransaction(txn.gid);
  if (TypeDiffers(request, txn)) return TypeMismatch(request, txn);
  if (known != Known::kNew) return Error("storage: UniqueKeyConflict");
  if (txn.branches.size() + request.draft.branches.size() > options.limits.branches_max) {
    Answer answer = Error(Cat("gid: ",
                              txn.gid,
                              " has ",
                              txn.branches.size(),
                              " branch rows, no more than ",
                              options.limits.branches_max,
                              " are allowed"));
    answer.grpc_code = kGrpcResourceExhausted;
    return answer;
  }
  AppendRows(request, txn, now);
  effects.save = true;
  return {};
}

Answer ApplyForceStop(Transaction& txn, TimePoint now, RequestEffects& effects) {
  if (IsFinal(txn.status)) {
    return Failure(Cat(
        "global transaction force stop error. status: ", WireName(txn.status), ". error: FAILURE"));
  }
  ChangeStatus(txn, TransStatus::kFailed, now);
  effects.save = true;
  return {};
}

Answer ApplyResetCron(Transaction& txn, TimePoint now, RequestEffects& effects) {
  // A finished transaction has nothing to be due for; one that is worked on has its turn now.
  if (IsFinal(txn.status) || IsLeased(txn, now)) return {};
  txn.leased = false;
  txn.next_cron_time = now;
  txn.update_time = now;
  effects.save = true;
  return {};
}

}  // namespace

std::optional<Answer> RefuseAtOnce(const Request& request) {
  const TransType type = request.draft.type;
  const bool prepares =
      request.kind == RequestKind::kPrepare || request.kind == RequestKind::kPrepareWorkflow;
  if (prepares && type == TransType::kSaga) {
    return Failure("trans type: 'saga' cannot be prepared, submit it instead. FAILURE");
  }
  if (IsWorkflowSubmit(request) && request.workflow_status != WireName(TransStatus::kSucceeded) &&
      request.workflow_status != WireName(TransStatus::kFailed)) {
    return Error(Cat("the status of a workflow must be 'succeed' or 'failed', not '",
                     request.workflow_status,
                     "'"));
  }
  if (request.kind == RequestKind::kRegisterBranch &&
      (type == TransType::kMsg || type == TransType::kSaga)) {
    return Error(Cat("unknow trans type: ", WireName(type)));
  }
  return std::nullopt;
}

bool Creates(const Request& request) {
  switch (request.kind) {
    case RequestKind::kPrepare:
    case RequestKind::kPrepareWorkflow: return true;
    case RequestKind::kSubmit: return !IsWorkflowSubmit(request);
    case RequestKind::kAbort:
    case RequestKind::kRegisterBranch:
    case RequestKind::kForceStop:
    case RequestKind::kResetNextCronTime: return false;
  }
  std::abort();
}

Answer Create(Request& request,
              Transaction& txn,
              TimePoint now,
              const EngineOptions& options,
              RequestEffects& effects) {
  txn = std::move(request.draft);
  txn.version = 0;
  txn.pages = 0;
  txn.leased = false;
  txn.create_time = now;
  txn.update_time = now;
  for (Branch& branch : txn.branches) {
    branch.create_time = now;
    branch.update_time = now;
  }
  txn.retry_count = txn.options.retry_count;
  txn.next_cron_interval = BaseInterval(txn, options);
  txn.next_cron_time = now + BoundedSeconds(txn.next_cron_interval, options);
  effects.save = true;
  effects.fixed_changed = true;
  if (request.kind != RequestKind::kSubmit) {
    txn.status = TransStatus::kPrepared;
    return {.with_txn = request.kind == RequestKind::kPrepareWorkflow};
  }
  txn.status = TransStatus::kSubmitted;
  BeginSubmitted(txn, now, options, effects);
  return {.wait = txn.options.wait_result};
}

Answer Apply(const Request& request,
             Transaction& txn,
             TimePoint now,
             const EngineOptions& options,
             RequestEffects& effects) {
  switch (request.kind) {
    case RequestKind::kPrepare: return ApplyPrepare(txn);
    case RequestKind::kSubmit: return ApplySubmit(request, txn, now, options, effects);
    case RequestKind::kAbort: return ApplyAbort(request, txn, now, options, effects);
    case RequestKind::kRegisterBranch: return ApplyRegister(request, txn, now, options, effects);
    case RequestKind::kPrepareWorkflow: return {.with_txn = true};
    case RequestKind::kForceStop: return ApplyForceStop(txn, now, effects);
    case RequestKind::kResetNextCronTime: return ApplyResetCron(txn, now, effects);
  }
  std::abort();
}

Answer AnswerMissing(const Request& request) {
  if (request.kind == RequestKind::kRegisterBranch) {
    return NoPreparedTransaction(request.draft.gid);
  }
  if (request.kind == RequestKind::kSubmit) return InternalError("storage: NotFound");
  return NoSuchTransaction(request.draft.gid);
}

}  // namespace troth
