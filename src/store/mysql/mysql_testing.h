#pragma once
// A real MariaDB, or the MySQL in TROTH_TEST_PROGRAMS, for tests (store/server_process.h).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/mysql/mysql_connection.h"
#include "store/mysql/mysql_store.h"
#include "store/server_process.h"

namespace troth::mysql {

class TestServer {
 public:
  // Returns when it answers. Commits survive SIGKILL unless `options` (further arguments of
  // the server) say otherwise.
  static StatusOr<std::unique_ptr<TestServer>> Start(std::vector<std::string> options = {});

  // The server that TROTH_TEST_MYSQL names (RunningServerIn), which nobody may kill, or Start.
  static StatusOr<std::unique_ptr<TestServer>> UseOrStart(std::vector<std::string> options = {});

  // SIGKILL; then Restart, which returns when it answers.
  void Kill() { process_.Kill(); }
  Status Restart();

  // As the superuser, without a database.
  ConnectionOptions superuser() const;
  // A store in `database`, for the same user.
  MysqlOptions StoreOptions(std::string_view database) const;
  uint16_t port() const { return running_ ? running_->port : process_.port(); }

 private:
  explicit TestServer(std::vector<std::string> options) : options_(std::move(options)) {}
  Status Initialize();

  const std::vector<std::string> options_;
  std::optional<RunningServer> running_;  // then there is no process
  ServerProcess process_{"mysql"};
};

}  // namespace troth::mysql
