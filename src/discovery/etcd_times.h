#pragma once
// How registrations and watches of etcd behave in time; tests make it faster.

#include "base/time.h"

namespace troth {

struct EtcdTimes {
  Duration lease_ttl = Seconds(15);  // Kratos's; a keep-alive goes out three times as often
  // Pauses between attempts. A new connection ends a pause at once.
  Duration backoff_min = std::chrono::milliseconds(200);
  Duration backoff_max = Seconds(30);
};

}  // namespace troth
