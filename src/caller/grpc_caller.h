#pragma once
// Branches called by gRPC: one unary call, the payload's bytes verbatim, the reply's bytes ignored.

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "caller/caller.h"
#include "discovery/grpc_targets.h"

namespace troth {

class GrpcCaller final : public BranchCaller {
 public:
  // `targets` outlives it and belongs to the same loop, as does every sink.
  GrpcCaller(net::Loop& loop, GrpcTargets& targets) : loop_(loop), targets_(targets) {}

  void Start(const Call& call, CallSink& sink) override;

 private:
  // The URL's parts, remembered because a service is called with the same few URLs all day.
  StatusOr<const GrpcAddress*> Address(std::string_view url);

  net::Loop& loop_;
  GrpcTargets& targets_;
  absl::flat_hash_map<std::string, std::unique_ptr<GrpcAddress>> addresses_;
};

}  // namespace troth
