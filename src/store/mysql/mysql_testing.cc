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

}  // namespace

StatusOr<std::unique_ptr<TestServer>> TestServer::Start(std::vector<std::string> options) {
  std::unique_ptr<TestServer> server(new TestServer(std::move(options)));
  TROTH_RETURN_IF_ERROR(server->Initialize());
  TROTH_RETURN_IF_ERROR(server->Restart());
  return server;
}

Status TestServer::Initialize() {
  return process_.RunToEnd({"mariadb-install-db",
                            "--no-defaults",
                            UserOption(),
                            Cat("--datadir=", (process_.folder() / "data").string()),
                            "--auth-root-authentication-method=normal",
                            "--skip-test-db",
                            "--skip-name-resolve"});
}

Status TestServer::Restart() {
  std::vector<std::string> command = {"mariadbd",
                                      "--no-defaults",
                                      UserOption(),
                                      Cat("--datadir=", (process_.folder() / "data").string()),
                                      Cat("--port=", port()),
                                      "--bind-address=127.0.0.1",
                                      Cat("--socket=", (process_.folder() / "socket").string()),
                                      "--innodb-buffer-pool-size=64M",
                                      "--skip-name-resolve"};
  command.insert(command.end(), options_.begin(), options_.end());
  return process_.Start(command, [this] { return Connection::Open(superuser()).status(); });
}

ConnectionOptions TestServer::superuser() const {
  return {.host = "127.0.0.1", .port = port(), .user = "root"};
}

MysqlOptions TestServer::StoreOptions(std::string_view database) const {
  return {.host = "127.0.0.1",
          .port = port(),
          .user = "root",
          .database = std::string(database),
          .idle_conns_max = 10};
}

}  // namespace troth::mysql
