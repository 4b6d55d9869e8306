#include "wire/custom_data.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "wire/json_reader.h"

namespace troth {
namespace {

Status ReadDelay(const JsonObject& data, Transaction& txn) {
  TROTH_RETURN_IF_ERROR(data.Read("delay", txn.msg_delay));
  constexpr int64_t kDelayMax = 10LL * 366 * 24 * 3600;
  if (txn.msg_delay < 0 || txn.msg_delay > kDelayMax) {
    return InvalidArgument(
        Cat("delay is ", txn.msg_delay, "; it must be between 0 and ", kDelayMax, " seconds"));
  }
  return OkStatus();
}

// Steps that wait for each other would never start.
bool HasCycle(const std::vector<StepOrder>& orders, size_t steps) {
  std::vector<size_t> blockers(steps, 0);
  for (const StepOrder& order : orders) blockers[order.step] += order.after.size();
  std::vector<uint32_t> ready;
  for (uint32_t i = 0; i < steps; ++i) {
    if (blockers[i] == 0) ready.push_back(i);
  }
  size_t done = 0;
  while (!ready.empty()) {
    const uint32_t step = ready.back();
    ready.pop_back();
    ++done;
    for (const StepOrder& order : orders) {
      const auto hits = std::count(order.after.begin(), order.after.end(), step);
      if (hits == 0) continue;
      blockers[order.step] -= static_cast<size_t>(hits);
      if (blockers[order.step] == 0) ready.push_back(order.step);
    }
  }
  return done != steps;
}

StatusOr<uint32_t> StepIndex(int64_t index, size_t steps) {
  if (index >= 0 && static_cast<size_t>(index) < steps) return static_cast<uint32_t>(index);
  return InvalidArgument(
      Cat("orders names step ", index, "; the steps are 0 to ", static_cast<int64_t>(steps) - 1));
}

Status ReadOrders(const JsonObject& data, Transaction& txn) {
  TROTH_RETURN_IF_ERROR(data.Read("concurrent", txn.saga_concurrent));
  std::vector<std::pair<std::string, std::vector<int64_t>>> orders;
  TROTH_RETURN_IF_ERROR(data.ReadIntLists("orders", orders));
  const size_t steps = txn.branches.size() / 2;
  for (const auto& [key, after] : orders) {
    const std::optional<int64_t> index = ParseInt(key);
    if (!index)
      return InvalidArgument(Cat("orders has the key '", key, "', which is no step index"));
    StepOrder order;
    TROTH_ASSIGN_OR_RETURN(order.step, StepIndex(*index, steps));
    for (int64_t before : after) {
      TROTH_ASSIGN_OR_RETURN(const uint32_t step, StepIndex(before, steps));
      order.after.push_back(step);
    }
    txn.saga_orders.push_back(std::move(order));
  }
  if (HasCycle(txn.saga_orders, steps)) {
    return InvalidArgument("orders makes steps wait for each other in a circle");
  }
  return OkStatus();
}

Status ReadWorkflow(const JsonObject& data, Transaction& txn) {
  std::string input;
  TROTH_RETURN_IF_ERROR(data.Read("name", txn.workflow_name));
  TROTH_RETURN_IF_ERROR(data.Read("data", input));
  std::optional<std::string> bytes = Base64Decode(input);
  if (!bytes) return InvalidArgument("custom_data.data of a workflow is not base64");
  if (bytes->empty()) return OkStatus();
  txn.workflow_input = static_cast<uint32_t>(txn.payloads.size());
  txn.payloads.push_back(*std::move(bytes));
  return OkStatus();
}

}  // namespace

Status ApplyCustomData(Transaction& txn) {
  const bool has_meaning = txn.type == TransType::kMsg || txn.type == TransType::kSaga ||
                           txn.type == TransType::kWorkflow;
  if (txn.custom_data.empty() || !has_meaning) return OkStatus();
  StatusOr<JsonObject> data = JsonObject::Parse(txn.custom_data);
  if (!data.ok()) return InvalidArgument(Cat("custom_data: ", Message(data.status())));
  if (txn.type == TransType::kMsg) return ReadDelay(*data, txn);
  if (txn.type == TransType::kSaga) return ReadOrders(*data, txn);
  return ReadWorkflow(*data, txn);
}

}  // namespace troth
