#pragma once
// Store.Driver -> a store.

#include <memory>

#include "base/status.h"
#include "base/time.h"
#include "config/config.h"
#include "store/postgres/postgres_store.h"
#include "store/store.h"

namespace troth {

// Opens the configured store; with `reset` all its transactions are removed first. The error says
// what to do.
StatusOr<std::unique_ptr<Store>> OpenStore(const StoreConfig& config, bool reset);

// What the configuration says of a PostgreSQL store.
PostgresOptions PostgresOptionsOf(const StoreConfig& config);

}  // namespace troth
