// The JSON inside custom_data, for each type and number of steps.

#include "base/check.h"
#include "input.h"
#include "targets.h"
#include "wire/custom_data.h"

namespace troth::fuzz {

void FuzzCustomData(std::string_view bytes) {
  Input input(bytes);
  Transaction txn;
  txn.type = static_cast<TransType>(input.Byte() % (static_cast<int>(TransType::kWorkflow) + 1));
  txn.branches.resize(input.Byte() % 16);
  txn.custom_data = input.rest();
  if (!ApplyCustomData(txn).ok()) return;
  TROTH_CHECK(txn.msg_delay >= 0);
  TROTH_CHECK(txn.workflow_input == kNoPayload || txn.workflow_input < txn.payloads.size());
  for (const StepOrder& order : txn.saga_orders) {
    TROTH_CHECK(order.step < txn.branches.size() / 2);
    for (const uint32_t step : order.after) TROTH_CHECK(step < txn.branches.size() / 2);
  }
}

}  // namespace troth::fuzz
