#include "engine/transaction.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace troth {

// The switches below have no default: a new value stops compiling here. Behind them only corrupt
// memory arrives.

std::string_view WireName(TransType type) {
  switch (type) {
    case TransType::kMsg: return "msg";
    case TransType::kSaga: return "saga";
    case TransType::kTcc: return "tcc";
    case TransType::kXa: return "xa";
    case TransType::kWorkflow: return "workflow";
  }
  std::abort();
}

std::string_view WireName(TransStatus status) {
  switch (status) {
    case TransStatus::kPrepared: return "prepared";
    case TransStatus::kSubmitted: return "submitted";
    case TransStatus::kAborting: return "aborting";
    case TransStatus::kSucceeded: return "succeed";
    case TransStatus::kFailed: return "failed";
  }
  std::abort();
}

std::string_view WireName(BranchStatus status) {
  switch (status) {
    case BranchStatus::kPrepared: return "prepared";
    case BranchStatus::kSucceeded: return "succeed";
    case BranchStatus::kFailed: return "failed";
  }
  std::abort();
}

std::string_view WireName(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttp: return "http";
    case Protocol::kGrpc: return "grpc";
    case Protocol::kJsonRpc: return "json-rpc";
  }
  std::abort();
}

std::string_view WireName(BranchOp op) {
  switch (op) {
    case BranchOp::kAction: return "action";
    case BranchOp::kCompensate: return "compensate";
    case BranchOp::kConfirm: return "confirm";
    case BranchOp::kCancel: return "cancel";
    case BranchOp::kCommit: return "commit";
    case BranchOp::kRollback: return "rollback";
    case BranchOp::kBusiness: return "business";
    case BranchOp::kMsg: return "msg";
    case BranchOp::kWorkflow: return "workflow";
  }
  std::abort();
}

namespace {

// The value between first and last, both included, whose wire name is `name`.
template <typename Enum>
std::optional<Enum> Parse(std::string_view name, Enum first, Enum last) {
  for (auto i = static_cast<int>(first); i <= static_cast<int>(last); ++i) {
    if (WireName(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<TransType> ParseTransType(std::string_view name) {
  return Parse(name, TransType::kMsg, TransType::kWorkflow);
}

std::optional<TransStatus> ParseTransStatus(std::string_view name) {
  return Parse(name, TransStatus::kPrepared, TransStatus::kFailed);
}

std::optional<BranchStatus> ParseBranchStatus(std::string_view name) {
  return Parse(name, BranchStatus::kPrepared, BranchStatus::kFailed);
}

std::optional<Protocol> ParseProtocol(std::string_view name) {
  if (name.empty()) return Protocol::kHttp;
  return Parse(name, Protocol::kHttp, Protocol::kJsonRpc);
}

std::optional<BranchOp> ParseBranchOp(std::string_view name) {
  return Parse(name, BranchOp::kAction, BranchOp::kBusiness);
}

bool MayFollow(TransStatus from, TransStatus to) {
  switch (from) {
    case TransStatus::kPrepared: return to != TransStatus::kPrepared;
    case TransStatus::kSubmitted: return to == TransStatus::kAborting || IsFinal(to);
    case TransStatus::kAborting: return to == TransStatus::kAborting || to == TransStatus::kFailed;
    case TransStatus::kSucceeded:
    case TransStatus::kFailed: return false;
  }
  std::abort();
}

std::optional<size_t> FindBranch(const Transaction& txn, std::string_view branch_id, BranchOp op) {
  for (size_t i = 0; i < txn.branches.size(); ++i) {
    const Branch& branch = txn.branches[i];
    if (branch.op == op && branch.branch_id == branch_id) return i;
  }
  return std::nullopt;
}

bool WaitsForRetry(const Transaction& txn) {
  if (txn.leased || IsFinal(txn.status)) return false;
  const bool prepared = txn.status == TransStatus::kPrepared;
  return std::ranges::any_of(txn.attempts, [prepared](const Attempt& attempt) {
    // A check-back that failed says nothing of a message that its sender has submitted since.
    return attempt.next_try && (attempt.row == kCallbackAttempt) == prepared;
  });
}

void ChangeStatus(Transaction& txn, TransStatus to, TimePoint now) {
  TROTH_CHECK(MayFollow(txn.status, to));
  txn.status = to;
  txn.update_time = now;
  if (to == TransStatus::kSucceeded) txn.finish_time = now;
  if (to == TransStatus::kFailed) txn.rollback_time = now;
}

void ChangeStatus(Branch& branch, BranchStatus to, TimePoint now) {
  branch.status = to;
  branch.update_time = now;
  branch.finish_time = now;
}

}  // namespace troth
