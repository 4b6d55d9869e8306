#include "workload.h"

#include "base/text.h"

namespace troth::sim {
namespace {

constexpr uint64_t kTransfersMax = 24;
constexpr uint64_t kServicesMax = 4;
constexpr uint64_t kStartsWithinSeconds = 60;

void DrawOptions(Random& random, TransferSpec& spec) {
  TransOptions& options = spec.options;
  options.wait_result = random.OneIn(3) && spec.type != TransType::kWorkflow;
  if (random.OneIn(4)) options.retry_interval = 1 + static_cast<int64_t>(random.Below(8));
  if (random.OneIn(4)) options.request_timeout = 1 + static_cast<int64_t>(random.Below(5));
  if (spec.type == TransType::kMsg) {
    options.concurrent = random.OneIn(3);
  } else if (random.OneIn(3)) {
    options.timeout_to_fail = 2 + static_cast<int64_t>(random.Below(30));
  }
  if (spec.type == TransType::kSaga && random.OneIn(4)) {
    options.retry_limit = 1 + static_cast<int64_t>(random.Below(4));
  }
}

// Each step after some of those before it, so that they can always be run in the order given.
void DrawOrders(Random& random, TransferSpec& spec) {
  spec.saga_concurrent = random.OneIn(2);
  if (!spec.saga_concurrent) return;
  for (uint32_t step = 1; step < spec.branches.size(); ++step) {
    StepOrder order{.step = step};
    for (uint32_t before = 0; before < step; ++before) {
      if (random.OneIn(2)) order.after.push_back(before);
    }
    if (!order.after.empty()) spec.saga_orders.push_back(std::move(order));
  }
}

void DrawMessage(Random& random, TransferSpec& spec) {
  spec.prepared = random.OneIn(2);
  if (random.OneIn(4)) spec.msg_delay = 1 + static_cast<int64_t>(random.Below(10));
  if (!spec.prepared) return;
  spec.sender_commits = !random.OneIn(4);
  spec.local_amount = -50;
  spec.branches[0].amount += 50;
}

void DrawBranches(Random& random, size_t services, TransferSpec& spec) {
  const size_t count = 2 + random.Below(3);
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    BranchSpec branch{.branch_id = Cat("0", i + 1), .service = random.Below(services)};
    branch.amount = 1 + static_cast<int64_t>(random.Below(100));
    sum += branch.amount;
    spec.branches.push_back(std::move(branch));
  }
  spec.branches[0].amount -= sum;
  const bool may_refuse = spec.type != TransType::kMsg;
  if (may_refuse && random.OneIn(3)) spec.branches[random.Below(count)].refuses = true;
}

TransferSpec DrawTransfer(Random& random, size_t number, size_t services) {
  constexpr TransType kTypes[] = {TransType::kMsg,
                                  TransType::kSaga,
                                  TransType::kSaga,
                                  TransType::kTcc,
                                  TransType::kXa,
                                  TransType::kWorkflow};
  TransferSpec spec;
  spec.gid = Cat("t", number);
  spec.type = kTypes[random.Below(std::size(kTypes))];
  spec.protocol = static_cast<Protocol>(random.Below(3));
  spec.start = Duration(random.Below(kStartsWithinSeconds * 1'000'000));
  DrawBranches(random, services, spec);
  DrawOptions(random, spec);
  if (spec.type == TransType::kSaga) DrawOrders(random, spec);
  if (spec.type == TransType::kMsg) DrawMessage(random, spec);
  return spec;
}

std::string UrlOf(const BranchSpec& branch, std::string_view op) {
  return Cat("http://service", branch.service, "/", op);
}

void AddRow(Transaction& txn, const BranchSpec& branch, BranchOp op, uint32_t payload) {
  Branch row;
  row.branch_id = branch.branch_id;
  row.op = op;
  row.url = UrlOf(branch, WireName(op));
  row.payload = payload;
  txn.branches.push_back(std::move(row));
}

Request BaseRequest(const TransferSpec& spec, RequestKind kind) {
  Request request;
  request.kind = kind;
  request.draft.gid = spec.gid;
  request.draft.type = spec.type;
  request.draft.protocol = spec.protocol;
  return request;
}

void FillDraft(const TransferSpec& spec, Transaction& txn) {
  txn.options = spec.options;
  txn.saga_concurrent = spec.saga_concurrent;
  txn.saga_orders = spec.saga_orders;
  txn.msg_delay = spec.msg_delay;
  if (!spec.saga_orders.empty()) txn.custom_data = "{}";
  if (spec.type == TransType::kWorkflow) {
    txn.workflow_name = "transfer";
    txn.query_prepared = Cat("http://service", spec.branches[0].service, "/workflow");
  }
  if (spec.prepared) txn.query_prepared = Cat("http://service", spec.branches[0].service, "/query");
  if (spec.type != TransType::kMsg && spec.type != TransType::kSaga) return;
  for (size_t i = 0; i < spec.branches.size(); ++i) {
    const BranchSpec& branch = spec.branches[i];
    const auto payload = static_cast<uint32_t>(i);
    txn.payloads.push_back(Cat(branch.amount));
    if (spec.type == TransType::kSaga) AddRow(txn, branch, BranchOp::kCompensate, payload);
    AddRow(txn, branch, BranchOp::kAction, payload);
  }
}

}  // namespace

Workload DrawWorkload(Random& random) {
  Workload workload;
  workload.services = 1 + random.Below(kServicesMax);
  const size_t count = 1 + random.Below(kTransfersMax);
  for (size_t i = 0; i < count; ++i) {
    workload.transfers.push_back(DrawTransfer(random, i + 1, workload.services));
    workload.by_gid.emplace(workload.transfers.back().gid, i);
  }
  return workload;
}

Request PrepareRequest(const TransferSpec& spec) {
  Request request = BaseRequest(spec, RequestKind::kPrepare);
  FillDraft(spec, request.draft);
  return request;
}

Request SubmitRequest(const TransferSpec& spec) {
  Request request = BaseRequest(spec, RequestKind::kSubmit);
  FillDraft(spec, request.draft);
  return request;
}

Request AbortRequest(const TransferSpec& spec) {
  Request request = BaseRequest(spec, RequestKind::kAbort);
  request.rollback_reason = "a branch was refused";
  return request;
}

Request RegisterRequest(const TransferSpec& spec, size_t branch) {
  Request request = BaseRequest(spec, RequestKind::kRegisterBranch);
  const BranchSpec& of = spec.branches[branch];
  request.draft.payloads.push_back(Cat(of.amount));
  if (spec.type == TransType::kTcc) {
    AddRow(request.draft, of, BranchOp::kCancel, 0);
    AddRow(request.draft, of, BranchOp::kConfirm, 0);
  } else {
    AddRow(request.draft, of, BranchOp::kRollback, 0);
    AddRow(request.draft, of, BranchOp::kCommit, 0);
  }
  return request;
}

Request ForceStopRequest(const TransferSpec& spec) {
  Request request = BaseRequest(spec, RequestKind::kForceStop);
  request.type_given = false;
  return request;
}

Request PrepareWorkflowRequest(const TransferSpec& spec) {
  Request request = BaseRequest(spec, RequestKind::kPrepareWorkflow);
  FillDraft(spec, request.draft);
  return request;
}

Request WorkflowStepRequest(const TransferSpec& spec, size_t step, BranchOp op, bool done) {
  Request request = BaseRequest(spec, RequestKind::kRegisterBranch);
  Branch row;
  row.branch_id = spec.branches[step].branch_id;
  row.op = op;
  row.status = done ? BranchStatus::kSucceeded : BranchStatus::kFailed;
  row.payload = 0;
  request.draft.branches.push_back(std::move(row));
  request.draft.payloads.push_back("result");
  return request;
}

Request WorkflowEndRequest(const TransferSpec& spec, TransStatus status) {
  Request request = BaseRequest(spec, RequestKind::kSubmit);
  request.workflow_status = WireName(status);
  if (status == TransStatus::kFailed) request.rollback_reason = "a step was refused";
  return request;
}

}  // namespace troth::sim
