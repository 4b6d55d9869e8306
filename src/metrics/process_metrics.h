#pragma once
// The process_* families every Prometheus client library has, read from /proc when asked.
// Thread-safe.

#include "metrics/metrics_text.h"

namespace troth {

// What the system does not tell is left out.
void AppendProcessMetrics(MetricsText& text);

}  // namespace troth
