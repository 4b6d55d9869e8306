#include "engine/merge.h"

namespace troth {
namespace {

template <typename Value>
bool Take(const Value& from, Value& to) {
  if (from == Value{} || from == to) return false;
  to = from;
  return true;
}

bool MergeOptions(const TransOptions& from, TransOptions& to) {
  bool changed = Take(from.wait_result, to.wait_result);
  changed |= Take(from.concurrent, to.concurrent);
  changed |= Take(from.timeout_to_fail, to.timeout_to_fail);
  changed |= Take(from.request_timeout, to.request_timeout);
  changed |= Take(from.retry_interval, to.retry_interval);
  changed |= Take(from.retry_limit, to.retry_limit);
  changed |= Take(from.retry_count, to.retry_count);
  changed |= Take(from.branch_headers, to.branch_headers);
  return changed;
}

bool MergeCustomData(const Transaction& draft, Transaction& txn) {
  if (!Take(draft.custom_data, txn.custom_data)) return false;
  txn.saga_concurrent = draft.saga_concurrent;
  txn.saga_orders = draft.saga_orders;
  txn.msg_delay = draft.msg_delay;
  return true;
}

}  // namespace

bool MergeSubmit(const Transaction& draft, Transaction& txn) {
  bool changed = MergeOptions(draft.options, txn.options);
  changed |= MergeCustomData(draft, txn);
  changed |= Take(draft.query_prepared, txn.query_prepared);
  return changed;
}

}  // namespace troth
