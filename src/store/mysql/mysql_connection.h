#pragma once
// One connection to MySQL or MariaDB: statements as text, answers as rows of text. Nothing here
// throws; every wait has a deadline. Private to this folder; one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

struct st_mysql;

namespace troth::mysql {

struct ConnectionOptions {
  std::string host;
  uint16_t port = 3306;
  std::string user;
  std::string password;
  std::string database;
  bool tls = false;
  bool tls_verify = false;
  std::string tls_ca_path;
  std::string tls_cert_path;
  std::string tls_key_path;
  Duration connect_timeout = Seconds(5);
  // A connection that does not answer for so long is given up.
  Duration answer_timeout = Seconds(10);
  // How long a statement waits for a row that somebody else holds.
  Duration lock_timeout = Seconds(2);
};

// A column of a row: nothing is NULL.
using Value = std::optional<std::string>;
using Row = std::vector<Value>;

class Connection {
 public:
  // Connects and sets the session up: strict, utf8mb4, backslashes escape, READ COMMITTED (a
  // statement sees what was committed when it began), affected rows are changed rows.
  // FailedPrecondition when there is no such database or the account may not.
  static StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one statement; rows changed. Errors as mysql_error.h says.
  StatusOr<uint64_t> Execute(std::string_view sql);
  // Runs one statement; its rows.
  StatusOr<std::vector<Row>> Query(std::string_view sql);

  // Bytes of a statement that the server takes.
  size_t packet_max() const { return packet_max_; }

  // False after a failure that leaves it in doubt what the server thinks: throw it away.
  bool usable() const { return usable_; }
  TimePoint opened_at() const { return opened_at_; }

 private:
  explicit Connection(st_mysql* handle) : handle_(handle) {}

  Status SetUp(const ConnectionOptions& options);
  Status Send(std::string_view sql);
  Status LastError();

  st_mysql* handle_;
  const TimePoint opened_at_ = SystemClock().Now();
  size_t packet_max_ = 0;
  bool usable_ = true;
};

}  // namespace troth::mysql
