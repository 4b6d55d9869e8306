#pragma once
// Which server has our keys now: the one that is configured, the owner of our slot in a cluster, or
// whom the Sentinels name. Thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/redis/connection.h"

namespace troth::redis {

class MasterFinder {
 public:
  virtual ~MasterFinder() = default;
  // Whom to ask next. May ask others, until the deadline.
  virtual StatusOr<Endpoint> Find(Deadline deadline) = 0;
  // A node of the cluster said who has our keys.
  virtual void OnMoved(const Endpoint& to) = 0;
  // It does not answer, or is no master.
  virtual void OnLost(const Endpoint& endpoint) = 0;
};

// One server, or nodes of a cluster: each in turn until one answers, and whom it says after that.
// All our keys are in one slot (Store.RedisPrefix holds a hash tag), so there is one owner at a
// time.
std::unique_ptr<MasterFinder> FindAmong(std::vector<Endpoint> nodes);

// The master `name` as the Sentinels tell it, asked again whenever it is lost. `login` is for the
// Sentinels themselves.
std::unique_ptr<MasterFinder> FindBySentinel(std::string name,
                                             std::vector<Endpoint> sentinels,
                                             Login login);

// "host:port" or "[v6]:port", as Redis names endpoints and Store.Host lists them.
StatusOr<Endpoint> ParseEndpoint(std::string_view text);

}  // namespace troth::redis
