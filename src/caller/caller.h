#pragma once
// How a branch is called: a URL and bytes in, an outcome out. No types of services are known here.

#include <cstddef>
#include <cstdint>

#include "engine/action.h"
#include "engine/outcome.h"

namespace troth {

// Who is told the end of a call: the shard that asked for it.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void OnCallDone(TxnId id, uint32_t call, CallResult result) = 0;
};

// For one loop's thread.
class BranchCaller {
 public:
  virtual ~BranchCaller() = default;
  // Starts the call; takes what it needs from `call` before returning. sink.OnCallDone comes later
  // on the same loop, exactly once, at the latest shortly after call.timeout; never inside Start.
  // The sink outlives the caller.
  virtual void Start(const Call& call, CallSink& sink) = 0;
};

}  // namespace troth
