#pragma once
// How registrations and watches of Consul behave in time; tests make it faster.

#include "base/time.h"

namespace troth {

struct ConsulTimes {
  // Well inside the check's 20 s, and short enough that a Consul that restarted empty has the
  // service back within 5 s.
  Duration heartbeat = Seconds(4);
  Duration wait = Seconds(55);  // how long Consul may hold a query without news (Kratos's)
  // The least time between an answer and the next query, so that a service that changes all the
  // time does not keep Consul busy.
  Duration pause = std::chrono::milliseconds(100);
  Duration backoff_min = std::chrono::milliseconds(200);
  Duration backoff_max = Seconds(3);
};

}  // namespace troth
