#pragma once
// What the transaction manager counts, as metrics. Thread-safe.

#include "metrics/metrics_text.h"
#include "runtime/transaction_manager.h"

namespace troth {

void AppendManagerMetrics(const TransactionManager& manager, MetricsText& text);

}  // namespace troth
