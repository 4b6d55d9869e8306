#include "services.h"

#include <numeric>
#include <utility>

namespace troth::sim {
namespace {

constexpr std::string_view kTry = "try";

// The operation that `op` undoes; empty: none.
std::string_view UndoneBy(std::string_view op) {
  if (op == "compensate") return "action";
  if (op == "cancel" || op == "rollback") return kTry;
  return {};
}

bool MayRefuse(std::string_view op) { return op == "action" || op == kTry; }

}  // namespace

Services::Services(Context& context,
                   Network& network,
                   Auditor& auditor,
                   const Workload& workload,
                   bool with_barrier)
    : context_(context),
      network_(network),
      auditor_(auditor),
      workload_(workload),
      with_barrier_(with_barrier),
      balances_(workload.services, 0),
      down_until_(workload.services, context.scheduler.now()) {}

void Services::Call(Node from, ServiceCall call, AnswerFn answer) {
  const Node to = kFirstService + static_cast<Node>(call.service);
  network_.SendRequest(from, to, [this, from, call = std::move(call), answer = std::move(answer)] {
    Arrive(from, call, answer);
  });
}

void Services::Arrive(Node from, const ServiceCall& call, const AnswerFn& answer) {
  const Node node = kFirstService + static_cast<Node>(call.service);
  if (context_.scheduler.now() < down_until_[call.service]) {  // connection refused
    network_.SendReply(node, from, [answer] { answer(ServiceAnswer::kUnreachable); });
    return;
  }
  if (context_.faults.Strikes(Fault::kServiceHangs)) return;
  const ServiceAnswer result = Do(call);
  if (context_.faults.Strikes(Fault::kServiceDiesAfterDoing)) {
    return Crash(call.service, context_.Between(Millis(10), Millis(3'000)));
  }
  context_.scheduler.After(context_.Between(Duration(50), Millis(20)),
                           [=, this] { network_.SendReply(node, from, [=] { answer(result); }); });
}

ServiceAnswer Services::Do(const ServiceCall& call) {
  Faults& faults = context_.faults;
  if (faults.Strikes(Fault::kServiceError)) return ServiceAnswer::kError;
  if (faults.Strikes(Fault::kServiceOngoing)) return ServiceAnswer::kOngoing;
  if (call.op == "msg") return CheckBack(call);
  if (call.op == "workflow") {
    context_.marks.Reached(Mark::kWorkflowCalledBack);
    run_workflow_(call.gid);
    return ServiceAnswer::kDone;
  }
  if (call.op == "business") return ServiceAnswer::kDone;  // nothing of ours: a planted bug
  const TransferSpec& spec = workload_.of(call.gid);
  const size_t branch = static_cast<size_t>(call.branch_id[1] - '1');
  const bool refuses = spec.branches[branch].refuses && MayRefuse(call.op);
  // A step of a workflow is asked for by every run of it; what was done is not refused later.
  const bool stands =
      spec.type == TransType::kWorkflow && barrier_.contains({call.gid, call.branch_id, call.op});
  if (refuses || (!stands && faults.Strikes(Fault::kServiceRefuses))) {
    auditor_.OnRefused(call.gid, call.op);
    context_.log.Add(
        "service", call.service, " refuses ", call.gid, "/", call.branch_id, " ", call.op);
    return ServiceAnswer::kRefused;
  }
  const bool counts = PassBarrier(call);
  context_.log.Add("service",
                   call.service,
                   counts ? " does " : " skips ",
                   call.gid,
                   "/",
                   call.branch_id,
                   " ",
                   call.op);
  if (counts) Apply(call);
  auditor_.OnDone(call.gid, call.branch_id, call.op);
  // Whoever comes after the undo is told that it was not done.
  if (!counts && call.op == kTry && barrier_.contains({call.gid, call.branch_id, "undone"})) {
    return ServiceAnswer::kRefused;
  }
  return ServiceAnswer::kDone;
}

bool Services::PassBarrier(const ServiceCall& call) {
  if (!with_barrier_) return true;
  bool nothing_to_undo = false;
  if (const std::string_view undone = UndoneBy(call.op); !undone.empty()) {
    barrier_.insert({call.gid, call.branch_id, "undone"});
    nothing_to_undo = barrier_.insert({call.gid, call.branch_id, std::string(undone)}).second;
    if (nothing_to_undo) context_.marks.Reached(Mark::kEmptyCompensation);
  }
  const bool first = barrier_.insert({call.gid, call.branch_id, call.op}).second;
  if (!first && MayRefuse(call.op) && barrier_.contains({call.gid, call.branch_id, "undone"})) {
    context_.marks.Reached(Mark::kActionAfterCompensation);
  } else if (!first) {
    context_.marks.Reached(Mark::kRepeatedCall);
  }
  return first && !nothing_to_undo;
}

void Services::Apply(const ServiceCall& call) {
  Entry& entry = entries_[{call.gid, call.branch_id}];
  const size_t branch = static_cast<size_t>(call.branch_id[1] - '1');
  int64_t& balance = balances_[call.service];
  const int64_t amount = workload_.of(call.gid).branches[branch].amount;
  if (call.op == kTry) {
    ++entry.reserved;
  } else if (call.op == "cancel" || call.op == "rollback") {
    --entry.reserved;
  } else if (call.op == "compensate") {
    --entry.applied;
    balance -= amount;
  } else {  // action, confirm, commit
    if (call.op != "action") --entry.reserved;
    ++entry.applied;
    balance += amount;
  }
}

ServiceAnswer Services::CheckBack(const ServiceCall& call) {
  if (local_.contains({call.gid, true})) {
    context_.marks.Reached(Mark::kMsgCheckedBackCommitted);
    return ServiceAnswer::kDone;
  }
  local_.insert({call.gid, false});  // from now on it cannot be committed any more
  auditor_.OnRefused(call.gid, call.op);
  return ServiceAnswer::kRefused;
}

bool Services::CommitLocally(const TransferSpec& spec) {
  if (local_.contains({spec.gid, false})) return false;
  if (local_.insert({spec.gid, true}).second)
    balances_[spec.branches[0].service] += spec.local_amount;
  context_.log.Add("sender of ", spec.gid, " commits");
  return true;
}

void Services::Crash(size_t service, Duration down) {
  context_.log.Add("service", service, " crashes");
  down_until_[service] = context_.scheduler.now() + down;
}

void Services::RestartAll() {
  for (TimePoint& until : down_until_) until = context_.scheduler.now();
}

const Entry& Services::entry(const std::string& gid, const std::string& branch_id) {
  return entries_[{gid, branch_id}];
}

int64_t Services::booked(const TransferSpec& spec) {
  int64_t sum = committed_locally(spec.gid) ? spec.local_amount : 0;
  for (const BranchSpec& branch : spec.branches) {
    sum += entry(spec.gid, branch.branch_id).applied * branch.amount;
  }
  return sum;
}

int64_t Services::total() const {
  return std::accumulate(balances_.begin(), balances_.end(), int64_t{0});
}

}  // namespace troth::sim
