#pragma once
// Follows the passing instances of one service in Consul by queries that Consul holds until
// something changes. For one loop's thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "discovery/backoff.h"
#include "discovery/consul_client.h"
#include "discovery/consul_times.h"
#include "discovery/lifeline.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

class ConsulWatch final : public Watch {
 public:
  // Begins at once. `client` outlives it.
  ConsulWatch(net::Loop& loop,
              ConsulClient& client,
              const ConsulTimes& times,
              std::string name,
              InstancesFn on_change,
              TroubleFn on_trouble);
  ~ConsulWatch() override;

 private:
  void Query();
  void OnHealth(StatusOr<ConsulHealth> health);
  void OnTrouble(const Status& why);

  ConsulClient& client_;
  const ConsulTimes times_;
  const std::string name_;
  const InstancesFn on_change_;
  const TroubleFn on_trouble_;
  Random random_ = Random::FromDevice();
  Backoff backoff_;

  uint64_t index_ = 0;  // of the last answer; 0: ask for what there is now
  std::optional<std::vector<ServiceInstance>> told_;
  uint64_t query_ = 0;
  net::Timer next_timer_;
  Lifeline lifeline_;
};

}  // namespace troth
