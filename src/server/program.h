#pragma once
// The server as a program: flags, configuration, then Server until a signal.

#include "server/server.h"

namespace troth {

// What main returns.
int RunProgram(int argc, char** argv, const ServerHooks& hooks = {});

}  // namespace troth
