#pragma once
// A real PostgreSQL for tests (store/server_process.h).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/postgres/pg_connection.h"
#include "store/postgres/postgres_store.h"
#include "store/server_process.h"

namespace troth::postgres {

class TestServer {
 public:
  // Returns when it answers. Commits are durable unless `options` (further lines of
  // postgresql.conf) say otherwise.
  static StatusOr<std::unique_ptr<TestServer>> Start(std::string_view options = "");

  // The server that TROTH_TEST_POSTGRES names (RunningServerIn), which nobody may kill, or Start.
  static StatusOr<std::unique_ptr<TestServer>> UseOrStart(std::string_view options = "");

  // SIGKILL of the whole server, as when the machine loses its power; then Restart.
  void Kill() { process_.Kill(); }
  Status Restart();

  // Makes an account that must show a password, as the others need not, and restarts.
  Status AskForPasswords(std::string_view user, std::string_view password);

  // As the superuser, in the database postgres.
  ConnectionOptions superuser() const;
  // An empty schema that nobody else uses, with a number in its name.
  PostgresOptions NewSchema();
  uint16_t port() const { return running_ ? running_->port : process_.port(); }
  pid_t pid() const { return process_.pid(); }

  // What it has logged so far.
  std::string Log() const { return process_.Log(); }

 private:
  TestServer() = default;
  Status Initialize(std::string_view options);

  // It refuses to run as root; on SIGQUIT it stops at once and ends its children.
  ServerProcess process_{"postgres", {.as_nobody = true, .death_signal = SIGQUIT}};
  std::optional<RunningServer> running_;  // then there is no process
  int schemas_ = 0;
};

}  // namespace troth::postgres
