#pragma once
// What every API of the manager stands on.

#include <functional>
#include <string>

#include "api/api_metrics.h"
#include "api/topics.h"
#include "api/wire_json.h"
#include "base/time.h"
#include "engine/limits.h"
#include "runtime/transaction_manager.h"

namespace troth {

// Made by the server; outlives the APIs. Thread-safe as its parts are.
struct ApiContext {
  TransactionManager& manager;
  Topics& topics;
  ApiMetrics& metrics;
  const Clock& clock;
  Limits limits;
  std::string version;  // "v0.1.0"
  UtcOffset utc_offset{};
  int64_t timeout_to_fail_seconds = 35;
};

// A fresh gid; thread-safe.
std::string NewGid();

// Runs a change of topics on a store thread; done(status) comes on `loop`.
using TopicChange = std::function<Status(Topics&, Store&, TimePoint now)>;
void ChangeTopics(ApiContext& context,
                  TopicChange change,
                  net::Loop& loop,
                  std::function<void(Status)> done);

}  // namespace troth
