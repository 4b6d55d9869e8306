#pragma once
// The server's defaults for what a transaction leaves open (protocol/server.md 1.4), and the
// engine's bounds.

#include <cstdint>

#include "base/time.h"
#include "engine/limits.h"

namespace troth {

struct EngineOptions {
  Duration retry_interval = Seconds(10);
  Duration timeout_to_fail = Seconds(35);
  Duration request_timeout = Seconds(3);
  int64_t alert_retry_limit = 3;
  bool alerts = false;  // an AlertWebHook is set
  Limits limits;
};

}  // namespace troth
