#pragma once
// For tests and benchmarks: ports for servers that they start.

#include <cstdint>

namespace troth {

// A port that is this process's until it ends: a bound socket keeps it, so that the system gives it
// to nobody else, neither before its server listens nor while that is killed and started again. A
// server that sets SO_REUSEADDR, as all do, may listen on it; until then connections to it are
// refused. A different one each time, below those that the system hands to outgoing connections.
// Any thread.
uint16_t FreePort();

}  // namespace troth
