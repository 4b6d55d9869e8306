#pragma once
// GET /api/metrics.

#include <functional>
#include <vector>

#include "api/http_router.h"
#include "metrics/metrics_text.h"

namespace troth {

// Who counts something, and appends it when asked; thread-safe.
using MetricsSource = std::function<void(MetricsText&)>;

void RegisterMetricsApi(std::vector<MetricsSource> sources, HttpRouter& router);

}  // namespace troth
