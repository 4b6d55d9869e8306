#pragma once
// Chooses the protocol of a branch call by the transaction and the URL (protocol/server.md 5.1), at
// call time.

#include "caller/caller.h"

namespace troth {

class DispatchCaller final : public BranchCaller {
 public:
  // Both outlive it.
  DispatchCaller(BranchCaller& http, BranchCaller& grpc) : http_(http), grpc_(grpc) {}
  void Start(const Call& call, CallSink& sink) override;

 private:
  BranchCaller& http_;
  BranchCaller& grpc_;
};

}  // namespace troth
