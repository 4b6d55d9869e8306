#pragma once
// Every route of the HTTP port in one place; docs/openapi.json describes the same.

#include <atomic>
#include <vector>

#include "api/api_context.h"
#include "api/http_metrics_api.h"
#include "api/http_router.h"
#include "api/watchers.h"
#include "discovery/directory.h"

namespace troth {

// What the routes stand on beside the context; all of it outlives the router.
struct HttpSurroundings {
  std::vector<net::Loop*> loops;
  std::vector<MetricsSource> metrics;
  Directory& directory;
  Watchers& watchers;
  const std::atomic<bool>& draining;
};

void RegisterHttpRoutes(ApiContext& context, HttpSurroundings around, HttpRouter& router);

}  // namespace troth
