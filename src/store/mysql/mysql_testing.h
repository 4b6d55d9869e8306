#pragma once
// A real MariaDB for tests: a data directory of its own, a free port on the loopback, gone at the
// end.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/mysql/mysql_connection.h"
#include "store/mysql/mysql_store.h"

namespace troth::mysql {

class TestServer {
 public:
  // Returns when it answers. Commits survive SIGKILL unless `options` (further arguments of
  // mariadbd) say otherwise.
  static StatusOr<std::unique_ptr<TestServer>> Start(std::vector<std::string> options = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // SIGKILL; then Restart, which returns when it answers.
  void Kill();
  Status Restart();

  // As the superuser, without a database.
  ConnectionOptions superuser() const;
  // A store in `database`, for the same user.
  MysqlOptions StoreOptions(std::string_view database) const;
  uint16_t port() const { return port_; }

 private:
  TestServer(std::filesystem::path folder, std::vector<std::string> options);
  Status Initialize();
  Status AwaitAnswer();

  const std::filesystem::path folder_;
  const std::vector<std::string> options_;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace troth::mysql
