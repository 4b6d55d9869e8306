#pragma once
// A real PostgreSQL for tests: a data directory of its own, a free port on the loopback, gone at
// the end. PostgreSQL refuses to run as root, so that it runs as the user `nobody` then.

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/postgres/pg_connection.h"
#include "store/postgres/postgres_store.h"

namespace troth::postgres {

class TestServer {
 public:
  // Returns when it answers. Commits are durable unless `options` (further lines of
  // postgresql.conf) say otherwise.
  static StatusOr<std::unique_ptr<TestServer>> Start(std::string_view options = "");
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // SIGKILL of the whole server, as when the machine loses its power; then Restart.
  void Kill();
  Status Restart();

  // As the superuser, in the database postgres.
  ConnectionOptions superuser() const;
  // An empty schema that nobody else uses.
  PostgresOptions NewSchema();
  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

  // What it has logged so far.
  std::string Log() const;

 private:
  explicit TestServer(std::filesystem::path folder);
  Status Initialize(std::string_view options);
  Status AwaitAnswer();

  const std::filesystem::path folder_;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
  int schemas_ = 0;
};

}  // namespace troth::postgres
