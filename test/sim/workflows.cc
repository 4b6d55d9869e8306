#include "workflows.h"

#include "network.h"

namespace troth::sim {
namespace {

constexpr Duration kServicePatience = Millis(3'000);

}  // namespace

struct Workflows::State {
  const TransferSpec& spec;
  std::map<std::pair<std::string, BranchOp>, BranchStatus> recorded;
};

void Workflows::Run(const TransferSpec& spec) {
  ask_(PrepareWorkflowRequest(spec), [this, &spec](const Told& told) {
    if (!told.ok() || told.txn == nullptr || told.txn->status != TransStatus::kPrepared) return;
    auto run = std::make_shared<State>(spec);
    for (const Branch& row : told.txn->branches)
      run->recorded[{row.branch_id, row.op}] = row.status;
    if (!run->recorded.empty()) context_.marks.Reached(Mark::kWorkflowResumed);
    Forward(run, 0);
  });
}

void Workflows::Forward(const std::shared_ptr<State>& run, size_t step) {
  if (step == run->spec.branches.size()) return End(*run, TransStatus::kSucceeded);
  Do(run, step, BranchOp::kAction, [this, run, step](bool done) {
    done ? Forward(run, step + 1) : Backward(run, step);
  });
}

void Workflows::Backward(const std::shared_ptr<State>& run, size_t step) {
  Do(run, step, BranchOp::kRollback, [this, run, step](bool) {
    step == 0 ? End(*run, TransStatus::kFailed) : Backward(run, step - 1);
  });
}

void Workflows::Do(const std::shared_ptr<State>& run,
                   size_t step,
                   BranchOp op,
                   std::function<void(bool done)> then) {
  const BranchSpec& branch = run->spec.branches[step];
  if (const auto row = run->recorded.find({branch.branch_id, op}); row != run->recorded.end()) {
    return then(row->second == BranchStatus::kSucceeded);
  }
  auto open = std::make_shared<bool>(true);
  context_.scheduler.After(kServicePatience, [open] { *open = false; });
  // To a service a step's undo is the compensation of its action.
  services_.Call(kClients,
                 {.gid = run->spec.gid,
                  .branch_id = branch.branch_id,
                  .op = op == BranchOp::kAction ? "action" : "compensate",
                  .service = branch.service},
                 [this, open, run, step, op, then](ServiceAnswer answer) {
                   if (!std::exchange(*open, false)) return;
                   const bool refused =
                       answer == ServiceAnswer::kRefused && op == BranchOp::kAction;
                   if (answer != ServiceAnswer::kDone && !refused) return;
                   Record(run, step, op, !refused, then);
                 });
}

void Workflows::Record(const std::shared_ptr<State>& run,
                       size_t step,
                       BranchOp op,
                       bool done,
                       std::function<void(bool done)> then) {
  ask_(WorkflowStepRequest(run->spec, step, op, done),
       [done, then = std::move(then)](const Told& told) {
         if (told.ok()) then(done);
       });
}

void Workflows::End(const State& run, TransStatus status) {
  ask_(WorkflowEndRequest(run.spec, status), [](const Told&) {});
}

}  // namespace troth::sim
