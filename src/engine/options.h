#pragma once
// The server's defaults for what a transaction leaves open (protocol/server.md 1.4), and the
// engine's bounds.

#include <cstdint>

#include "base/time.h"
#include "engine/limits.h"

namespace troth {

struct EngineOptions {
  Duration retry_interval = Seconds(10);
  // After errors up to so much of the interval is added, by gid: what fails together does not come
  // back together. 0: exact times.
  int64_t retry_jitter_percent = 0;
  Duration timeout_to_fail = Seconds(35);
  Duration request_timeout = Seconds(3);
  int64_t alert_retry_limit = 3;
  bool alerts = false;  // an AlertWebHook is set
  // Who waits for a saga or msg that goes on is told so, instead of a failure as dtm does.
  bool strict_wait_result = false;
  Limits limits;
};

}  // namespace troth
