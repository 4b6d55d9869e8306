#include "caller/metered_caller.h"

#include <utility>

namespace troth {

void MeteredCaller::Start(const Call& call, CallSink& sink) {
  if (free_ == 0) {
    open_.emplace_back();
    free_ = static_cast<uint32_t>(open_.size());
  }
  const uint32_t slot = free_ - 1;
  OpenCall& open = open_[slot];
  free_ = open.next_free;
  open.sink = &sink;
  open.id = call.id;
  open.call = call.call;
  open.ok = &metrics_.Branch(call, true);
  open.fail = &metrics_.Branch(call, false);
  open.endpoint = &metrics_.Endpoint(call.url);
  open.endpoint->started.Add();
  open.start = loop_.turn_time();
  Call renamed = call;
  renamed.id = slot;
  next_.Start(renamed, *this);
}

void MeteredCaller::OnCallDone(TxnId slot, uint32_t, CallResult result) {
  const OpenCall done = open_[slot];
  open_[slot].next_free = std::exchange(free_, static_cast<uint32_t>(slot) + 1);
  const BranchOutcome outcome = result.outcome;
  (outcome == BranchOutcome::kSucceeded ? done.ok : done.fail)->Add();
  EndpointMetrics& endpoint = *done.endpoint;
  endpoint.outcomes[static_cast<size_t>(outcome)].Add();
  endpoint.answers.store(outcome != BranchOutcome::kUnknown, std::memory_order_relaxed);
  endpoint.took.Add(std::chrono::duration_cast<Duration>(loop_.turn_time() - done.start));
  done.sink->OnCallDone(done.id, done.call, std::move(result));
}

}  // namespace troth
