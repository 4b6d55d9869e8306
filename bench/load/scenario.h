#pragma once
// What one transaction of a benchmark does: its requests one after the other, and what they lead
// to at the services.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "bench/load/dtm_messages.h"

namespace troth::bench {

struct ScenarioCall {
  Request request;
  int expected = 0;  // grpc-status or HTTP's
};

struct Scenario {
  std::string name;
  Wire wire = Wire::kGrpc;
  std::vector<ScenarioCall> calls;  // each after the answer to the one before
  uint32_t branch_calls = 0;        // that one transaction leads to
  std::vector<std::string> paths;   // of the services' methods that are called, sorted
};

// Where the services listen: host:port.
struct Services {
  std::string succeeding;
  std::string refusing;
  std::string down;  // nobody listens
};

// Every name that MakeScenario knows; with "-http" behind it, by HTTP and JSON.
std::vector<std::string> ScenarioNames();
Wire WireOf(std::string_view scenario_name);
// Error: there is no such scenario.
StatusOr<Scenario> MakeScenario(const std::string& name, const Services& services);

}  // namespace troth::bench
