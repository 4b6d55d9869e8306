#pragma once
// `troth store init|check|widen|reset|copy`: what an operator does to a store while no request is
// served.

#include <string>
#include <vector>

#include "base/status.h"
#include "config/config.h"

namespace troth {

struct StoreCommand {
  std::vector<std::string> words{};  // what follows `store`: the action and its arguments
  bool yes = false;                  // --yes: reset without asking
  bool merge = false;                // --merge: copy into a store that is not empty
};

// Whether the command uses the configured store; copy names its own.
bool UsesConfiguredStore(const StoreCommand& command);

// InvalidArgument when the words are not understood.
Status CheckStoreCommand(const StoreCommand& command);

// Does it, prints what came of it, and returns the exit code: 0 when all is well, 1 when not
// (check: also when the store cannot be used as it is).
int RunStoreCommand(const StoreCommand& command, const StoreConfig& config);

}  // namespace troth
