#pragma once
// dtm's tables in PostgreSQL (protocol/stores.md 5 and 6), for any number of servers at once, dtm's
// among them. Saves are committed in batches: a batch is one round trip and one database
// transaction, durable as the database is set up. Connections that are lost are opened anew; what a
// lost answer leaves in doubt is read back.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "store/sql_admin.h"
#include "store/store.h"

namespace troth {

struct PostgresOptions {
  std::string host;  // or several, joined by commas: the one that takes writes is used
  uint16_t port = 5432;
  std::string user;
  std::string password;
  std::string database;
  std::string schema;
  // libpq's sslmode and files; empty: libpq's defaults.
  std::string tls_mode;
  std::string tls_ca_path;
  std::string tls_cert_path;
  std::string tls_key_path;
  size_t open_connections_max = 0;  // 0: no bound
  size_t idle_connections_max = 8;
  Duration connection_age_max{};  // 0: as long as it works
  Duration connect_timeout = Seconds(5);
  Duration answer_timeout = Seconds(10);
  Duration lock_timeout = Seconds(2);
  // Transactions committed at once.
  size_t batch_max = 256;
  // How long one Commit goes on trying while the database is away, before it answers kUnknown.
  Duration commit_patience = Seconds(5);
  // How often the database is asked for what is due: transactions of other servers too.
  Duration claim_interval = Seconds(1);
  // Records one List looks at when it filters, before it hands back a position.
  size_t list_scan_max = 20'000;
};

// Connects, and creates the tables when there are none. Errors say what to do: Unavailable when the
// database cannot be reached, FailedPrecondition when the tables are not right or the account may
// not create them.
StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const PostgresOptions& options);

// A connection for `troth store`.
StatusOr<std::unique_ptr<sql::SqlSession>> OpenPostgresSession(const PostgresOptions& options);

}  // namespace troth
