#pragma once
// A saga's rows as steps: step i is the pair (compensate, action) at positions 2i and 2i + 1, and
// its predecessors are what its order names, or the step before it.

#include <cstddef>
#include <vector>

#include "engine/transaction.h"

namespace troth {

class SagaSteps {
 public:
  explicit SagaSteps(const Transaction& txn);

  // False: the rows are no such pairs. Nothing a client can send makes them so; nothing may be
  // called then.
  bool well_formed() const { return well_formed_; }

  size_t size() const { return txn_.branches.size() / 2; }
  static size_t action_row(size_t step) { return 2 * step + 1; }
  static size_t compensate_row(size_t step) { return 2 * step; }
  const Branch& action(size_t step) const { return txn_.branches[action_row(step)]; }
  const Branch& compensate(size_t step) const { return txn_.branches[compensate_row(step)]; }

  // Whether `holds` is true of every step that must come before `step`.
  template <typename Predicate>
  bool AllBefore(size_t step, Predicate holds) const {
    if (!txn_.saga_concurrent) return step == 0 || holds(step - 1);
    if (orders_[step] == nullptr) return true;
    for (const uint32_t before : orders_[step]->after) {
      // A number past the last step names nothing to wait for; the edge refuses it.
      if (before < size() && !holds(before)) return false;
    }
    return true;
  }

 private:
  const Transaction& txn_;
  bool well_formed_ = true;
  std::vector<const StepOrder*> orders_;  // concurrent only: by step, null where there is none
};

}  // namespace troth
