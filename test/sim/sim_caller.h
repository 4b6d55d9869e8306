#pragma once
// Calls services for one shard: over the simulated network, with the production rules of what an
// answer means.

#include <memory>

#include "auditor.h"
#include "caller/caller.h"
#include "context.h"
#include "network.h"
#include "services.h"

namespace troth::sim {

class SimCaller final : public BranchCaller {
 public:
  // Brings an answer to the server's own thread: runs it if that life of the server still lasts.
  using Deliver = std::function<void(Task)>;

  // `clock`: the server's own.
  SimCaller(Context& context,
            Services& services,
            Auditor& auditor,
            Incarnation server,
            const Clock& clock,
            Deliver deliver)
      : context_(context),
        services_(services),
        auditor_(auditor),
        server_(server),
        clock_(clock),
        deliver_(std::move(deliver)) {}

  void Start(const Call& call, CallSink& sink) override;

 private:
  Context& context_;
  Services& services_;
  Auditor& auditor_;
  const Incarnation server_;
  const Clock& clock_;
  const Deliver deliver_;
};

}  // namespace troth::sim
