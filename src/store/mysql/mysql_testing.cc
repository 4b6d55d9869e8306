#include "store/mysql/mysql_testing.h"

#include <pwd.h>
#include <unistd.h>

#include <utility>

#include "base/text.h"

namespace troth::mysql {
namespace {

std::string UserOption() {
  const passwd* const user = ::getpwuid(::getuid());
  return Cat("--user=", user == nullptr ? "mysql" : user->pw_name);
}

// A folder with a mysqld of its own is one of MySQL, which differs in how it is started.
bool IsMysql() { return TestProgram("mysqld") != "mysqld"; }

}  // namespace

StatusOr<std::unique_ptr<TestServer>> TestServer::Start(std::vector<std::string> options) {
  std::unique_ptr<TestServer> server(new TestServer(std::move(options)));
  TROTH_RETURN_IF_ERROR(server->Initialize());
  TROTH_RETURN_IF_ERROR(server->Restart());
  return server;
}

StatusOr<std::unique_ptr<TestServer>> TestServer::UseOrStart(std::vector<std::string> options) {
  std::optional<RunningServer> running = RunningServerIn("TROTH_TEST_MYSQL");
  if (!running) return Start(std::move(options));
  std::unique_ptr<TestServer> server(new TestServer({}));
  server->running_ = std::move(running);
  return server;
}

Status TestServer::Initialize() {
  const std::string data = Cat("--datadir=", (process_.folder() / "data").string());
  if (IsMysql()) {
    return process_.RunToEnd(
        {TestProgram("mysqld"), "--no-defaults", UserOption(), data, "--initialize-insecure"});
  }
  return process_.RunToEnd({TestProgram("mariadb-install-db"),
                            "--no-defaults",
                            UserOption(),
                            data,
                            "--auth-root-authentication-method=normal",
                            "--skip-test-db",
                            "--skip-name-resolve"});
}

Status TestServer::Restart() {
  std::vector<std::string> command = {TestProgram(IsMysql() ? "mysqld" : "mariadbd"),
                                      "--no-defaults",
                                      UserOption(),
                                      Cat("--datadir=", (process_.folder() / "data").string()),
                                      Cat("--port=", port()),
                                      "--bind-address=127.0.0.1",
                                      Cat("--socket=", (process_.folder() / "socket").string()),
                                      "--innodb-buffer-pool-size=64M"};
  // MySQL's root is one of localhost's, which 127.0.0.1 is by its name; its other protocol has a
  // port.
  command.emplace_back(IsMysql() ? "--loose-mysqlx=OFF" : "--skip-name-resolve");
  command.insert(command.end(), options_.begin(), options_.end());
  return process_.Start(command, [this] { return Connection::Open(superuser()).status(); });
}

ConnectionOptions TestServer::superuser() const {
  if (running_) return {.host = running_->host, .port = running_->port, .user = running_->user};
  return {.host = "127.0.0.1", .port = port(), .user = "root"};
}

MysqlOptions TestServer::StoreOptions(std::string_view database) const {
  const ConnectionOptions account = superuser();
  return {.host = account.host,
          .port = account.port,
          .user = account.user,
          .database = std::string(database),
          .idle_conns_max = 10};
}

}  // namespace troth::mysql
