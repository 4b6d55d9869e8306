#include "engine/saga_steps.h"

namespace troth {

SagaSteps::SagaSteps(const Transaction& txn) : txn_(txn) {
  if (txn.branches.size() % 2 != 0) well_formed_ = false;
  for (size_t step = 0; step < size(); ++step) {
    if (compensate(step).op != BranchOp::kCompensate || action(step).op != BranchOp::kAction) {
      well_formed_ = false;
    }
  }
  if (!txn.saga_concurrent) return;
  orders_.resize(size(), nullptr);
  for (const StepOrder& order : txn.saga_orders) {
    if (order.step < size()) orders_[order.step] = &order;
  }
}

}  // namespace troth
