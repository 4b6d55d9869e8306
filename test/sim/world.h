#pragma once
// One seed from beginning to end: servers on one store, services, clients and a network between
// them. First everything may go wrong; then faults stop and everything must end in bounded time.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auditor.h"
#include "bugs.h"
#include "clients.h"
#include "context.h"
#include "network.h"
#include "services.h"
#include "sim_server.h"
#include "sim_store.h"
#include "workload.h"

namespace troth::sim {

struct SeedResult {
  uint64_t seed = 0;
  Duration simulated{};
  uint64_t steps = 0;
  uint64_t transfers = 0;
  std::vector<std::string> violations;
  FaultCounts faults{};
  MarkCounts marks{};
  std::string log;  // when it was asked for
};

// The same seed and bug give the same result. `on_disk`: one server with the store over RocksDB,
// whose own threads may change what a crash leaves of what nobody was told of.
SeedResult RunSeed(uint64_t seed, Bug bug, bool keep_log, bool on_disk = false);

class World {
 public:
  World(uint64_t seed, Bug bug, bool keep_log, bool on_disk);

  SeedResult Run();

 private:
  EngineOptions DrawEngineOptions();
  void MakeServers(Bug bug);

  // --- what goes wrong from time to time
  void Trouble();
  void TroubleOfServer(SimServer& server);
  void TroubleOfClock(SimServer& server);
  void TroubleOfStore();
  void TroubleOfNetwork();
  // A server and one of those it talks to.
  std::pair<Node, Node> DrawNeighbours();
  void StopOne();
  void CrashServer(SimServer& server);
  void Restart(SimServer& server);

  void Heal();
  void CheckAllEnded();
  // Steps until `end`, or until nothing is left to be done if `until_finished`.
  void RunUntil(TimePoint end, bool until_finished);

  const uint64_t seed_;
  Context context_;
  const bool embedded_;
  Workload workload_;
  Network network_;
  Auditor auditor_;
  SimStore store_;
  BuggyStore buggy_store_;
  Services services_;
  std::vector<std::unique_ptr<SimServer>> servers_;
  Clients clients_;
};

}  // namespace troth::sim
