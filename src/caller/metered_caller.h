#pragma once
// Counts and times branch calls on their way to another caller. Nothing is allocated for a call
// once as many were open before.

#include <cstdint>
#include <vector>

#include "caller/call_metrics.h"
#include "caller/caller.h"
#include "net/loop.h"

namespace troth {

class MeteredCaller final : public BranchCaller, private CallSink {
 public:
  // Both outlive it; `next` belongs to the same loop.
  MeteredCaller(net::Loop& loop, BranchCaller& next) : loop_(loop), next_(next) {}

  void Start(const Call& call, CallSink& sink) override;

  const CallMetrics& metrics() const { return metrics_; }

 private:
  // A call that `next_` knows by its index here.
  struct OpenCall {
    CallSink* sink = nullptr;
    TxnId id = 0;
    uint32_t call = 0;
    uint32_t next_free = 0;
    Counter* ok = nullptr;
    Counter* fail = nullptr;
    EndpointMetrics* endpoint = nullptr;
    std::chrono::steady_clock::time_point start;
  };

  void OnCallDone(TxnId slot, uint32_t call, CallResult result) override;

  net::Loop& loop_;
  BranchCaller& next_;
  CallMetrics metrics_;
  std::vector<OpenCall> open_;
  uint32_t free_ = 0;  // index + 1; 0: none
};

}  // namespace troth
