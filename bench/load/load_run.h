#pragma once
// One run of a scenario against a server: connect, warm up, measure, let what is open end.

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "bench/load/figures.h"
#include "bench/load/scenario.h"
#include "bench/load/target.h"
#include "bench/measure/allocation_counter.h"

namespace troth::bench {

struct LoadOptions {
  std::string scenario = "msg";
  uint64_t in_flight = 64;  // closed loop
  double rate = 0;          // open loop: transactions a second; 0: closed loop
  int connections = 0;      // 0: 2 for gRPC, one for each in flight for HTTP
  double warmup_seconds = 2;
  double seconds = 5;
  uint64_t transactions = 0;  // end after so many; 0: by time
  bool count_kernel = false;  // system calls and fsyncs, which costs the server a little
  const AllocationCounter* allocations = nullptr;  // of the server, when it was started with one
  std::string profile_path{};  // where `perf record` of the server goes; empty: none
};

// Error: the server cannot be reached, breaks off, or does not call what it should.
StatusOr<Figures> RunLoad(const LoadOptions& options, const Target& target);

}  // namespace troth::bench
