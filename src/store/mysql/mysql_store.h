#pragma once
// Transactions in dtm's tables in MySQL, MariaDB and what speaks their protocol (TiDB). Any number
// of troth and dtm servers may use one database (docs/adr/0016). One commit covers whatever waits,
// up to 256 transactions. Thread-safe as store.h says.
//
// When the server goes away, saves wait for it a moment and then answer kUnknown; it is used again
// as soon as it answers. A commit whose answer got lost is looked up before it is answered.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "store/sql_admin.h"
#include "store/store.h"

namespace troth {

struct MysqlOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 3306;
  std::string user;
  std::string password;
  std::string database = "dtm";
  // PEM files, each may be empty. `tls_verify`: the server's certificate must be of its name and
  // signed by the authority.
  bool tls = false;
  bool tls_verify = false;
  std::string tls_ca_path;
  std::string tls_cert_path;
  std::string tls_key_path;
  size_t open_conns_max = 0;                       // 0: no bound
  size_t idle_conns_max = 0;                       // 0: a connection for each use
  Duration conn_age_max{};                         // 0: as long as it works
  std::optional<std::chrono::minutes> utc_offset;  // of DATETIME columns; unset: the machine's
  size_t batch_max = 256;                          // transactions in one commit
  // How often an idle store is asked for what is due, and how long a commit waits for a server that
  // has gone away before it is answered kUnknown.
  Duration poll_interval = std::chrono::milliseconds(500);
  Duration patience = Seconds(3);
};

// Connects, creates database and tables if they are missing and the account may. Errors say what to
// do: FailedPrecondition names the statements to run when tables are missing or too old;
// Unavailable when nobody answers.
StatusOr<std::unique_ptr<Store>> OpenMysqlStore(const MysqlOptions& options);

// A connection for sql_admin.h: `troth store init`, `check`, `reset`, `widen`.
StatusOr<std::unique_ptr<sql::SqlSession>> OpenMysqlSession(const MysqlOptions& options);

}  // namespace troth
