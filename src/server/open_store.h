#pragma once
// Store.Driver -> a store.

#include <memory>

#include "base/status.h"
#include "base/time.h"
#include "config/config.h"
#include "store/postgres/postgres_store.h"
#include "store/store.h"

namespace rocksdb {
class Env;
}

namespace troth {

// Opens the configured store; with `reset` all its transactions are removed first. Waits for a
// database that does not answer yet; one that refuses the account, and a host that nobody knows,
// are errors. `disk` is the embedded store's, null for the machine's. The error says what to do.
StatusOr<std::unique_ptr<Store>> OpenStore(const StoreConfig& config,
                                           bool reset,
                                           rocksdb::Env* disk = nullptr);

// The same without waiting.
StatusOr<std::unique_ptr<Store>> OpenStoreNow(const StoreConfig& config,
                                              rocksdb::Env* disk = nullptr);

// Removes everything from the store.
Status ResetStore(const StoreConfig& config);

bool IsSqlStore(const StoreConfig& config);
// Of a SQL store: a connection for its tables.
StatusOr<std::unique_ptr<sql::SqlSession>> OpenSqlSession(const StoreConfig& config);

}  // namespace troth
