#include "bench/load/participants.h"

#include <memory>
#include <string>
#include <vector>

#include "base/free_port.h"
#include "base/text.h"
#include "bench/transport/grpc_participant.h"
#include "bench/transport/http1_participant.h"

namespace troth::bench {

Status Participants::Listen(EventLoop& loop) {
  TROTH_ASSIGN_OR_RETURN(services_.succeeding, ListenOne(loop, Behaviour::kSucceeds));
  TROTH_ASSIGN_OR_RETURN(services_.refusing, ListenOne(loop, Behaviour::kRefuses));
  services_.down = Cat("127.0.0.1:", FreePort());
  return OkStatus();
}

StatusOr<std::string> Participants::ListenOne(EventLoop& loop, Behaviour behaviour) {
  const auto make = [this, behaviour]() -> std::unique_ptr<Protocol> {
    if (wire_ == Wire::kGrpc) return std::make_unique<GrpcParticipant>(behaviour, counts_);
    return std::make_unique<Http1Participant>(behaviour, counts_);
  };
  TROTH_ASSIGN_OR_RETURN(const uint16_t port, loop.Listen(make));
  return Cat("127.0.0.1:", port);
}

Status Participants::CheckPaths(const Scenario& scenario) const {
  std::vector<std::string> seen;
  for (const auto& [path, calls] : counts_.paths) seen.push_back(path);
  if (seen == scenario.paths) return OkStatus();
  return Internal(Cat("the server called ",
                      JoinText(seen, ", "),
                      " where ",
                      scenario.name,
                      " means ",
                      JoinText(scenario.paths, ", ")));
}

}  // namespace troth::bench
