#pragma once
// Counts and times every answered request, by route (protocol/server.md 8): one table of counters
// for each loop, so that counting is a plain addition.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/counter.h"
#include "metrics/metrics_text.h"
#include "net/call_watcher.h"
#include "net/loop.h"

namespace troth {

// The `api` label of a route: "/api/dtmsvr/newGid" -> "newgid", "/api/dtmsvr/topic/*" -> "topic",
// "/api/v1/transactions/*/wait" -> "v1/transactions/wait".
std::string RouteLabel(std::string_view path);

class ApiMetrics final : public net::CallWatcher {
 public:
  // Requests are answered on these loops.
  explicit ApiMetrics(const std::vector<net::Loop*>& loops);

  // Before the first request: the tag for net's Watch. Routes of the same type and label share one.
  uint32_t AddRoute(std::string_view type, std::string_view label);

  void OnAnswered(net::Loop& loop, uint32_t tag, bool ok, Duration took) override;

  // Any thread, once all routes are there.
  void Append(MetricsText& text) const;

 private:
  static constexpr size_t kRoutesMax = 128;  // more than there are: a bug stops the process
  struct Route {
    std::string type;  // "http", "grpc"
    std::string label;
  };
  struct RouteCounters {
    Counter ok, fail;
    DurationHistogram took;
  };
  using Table = std::array<RouteCounters, kRoutesMax>;

  std::vector<Route> routes_;
  absl::flat_hash_map<const net::Loop*, std::unique_ptr<Table>> tables_;
};

}  // namespace troth
