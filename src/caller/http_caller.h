#pragma once
// Branches called by HTTP, plain or as JSON-RPC (protocol/server.md 5.2, 5.3). Plain ones may name
// a service to look up: discovery:///trans/path.

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/status.h"
#include "caller/caller.h"
#include "discovery/http_targets.h"

namespace troth {

// The URL of a branch call: the given one with its own query first, then branch_id, gid, op,
// trans_type; no fragment.
std::string BranchUrl(const Call& call);

// The body of a JSON-RPC branch call. InvalidArgument when the payload is not a JSON object.
StatusOr<std::string> JsonRpcBody(const Call& call, std::string_view request_id);

class HttpCaller final : public BranchCaller {
 public:
  // `targets` outlives it and belongs to the same loop, as does every sink.
  HttpCaller(net::Loop& loop, HttpTargets& targets, Random random)
      : loop_(loop), targets_(targets), random_(random) {}

  void Start(const Call& call, CallSink& sink) override;

 private:
  void StartHttp(const Call& call, CallSink& sink);
  void StartJsonRpc(const Call& call, CallSink& sink);
  void Refuse(const Call& call, CallSink& sink, std::string error);

  net::Loop& loop_;
  HttpTargets& targets_;
  Random random_;
};

}  // namespace troth
