#include "store/postgres/postgres_testing.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/check.h"
#include "base/text.h"

namespace troth::postgres {
namespace {

namespace fs = std::filesystem;

// TROTH_TEST_PROGRAMS's, or of the newest of Debian's installed versions; by its name alone when
// there is none.
std::string Program(std::string_view name) {
  if (std::string chosen = TestProgram(name); chosen != name) return chosen;
  fs::path newest;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const fs::path program = entry.path() / "bin" / name;
    if (fs::exists(program, ignored)) newest = std::max(newest, program);
  }
  return newest.empty() ? std::string(name) : newest.string();
}

}  // namespace

StatusOr<std::unique_ptr<TestServer>> TestServer::Start(std::string_view options) {
  std::unique_ptr<TestServer> server(new TestServer);
  TROTH_RETURN_IF_ERROR(server->Initialize(options));
  TROTH_RETURN_IF_ERROR(server->Restart());
  return server;
}

StatusOr<std::unique_ptr<TestServer>> TestServer::UseOrStart(std::string_view options) {
  std::optional<RunningServer> running = RunningServerIn("TROTH_TEST_POSTGRES");
  if (!running) return Start(options);
  std::unique_ptr<TestServer> server(new TestServer);
  server->running_ = std::move(running);
  return server;
}

Status TestServer::Initialize(std::string_view options) {
  TROTH_RETURN_IF_ERROR(process_.RunToEnd({Program("initdb"),
                                           "--pgdata=data",
                                           "--username=postgres",
                                           "--auth=trust",
                                           "--no-sync",
                                           "--encoding=UTF8",
                                           "--locale=C"}));
  std::ofstream(process_.folder() / "data" / "postgresql.conf", std::ios::app)
      << "port = " << port() << "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
      << "shared_buffers = 32MB\nmax_connections = 50\nlog_min_messages = warning\n"
      << options << '\n';
  return OkStatus();
}

Status TestServer::Restart() {
  return process_.Start({Program("postgres"), "-D", "data"},
                        [this] { return Connection::Open(superuser()).status(); });
}

Status TestServer::AskForPasswords(std::string_view user, std::string_view password) {
  {
    TROTH_ASSIGN_OR_RETURN(const auto connection, Connection::Open(superuser()));
    TROTH_RETURN_IF_ERROR(
        connection->Execute(Cat("create role ", user, " login password '", password, "'")));
  }
  std::ofstream(process_.folder() / "data" / "pg_hba.conf")
      << "host all " << user << " 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
  return Restart();
}

ConnectionOptions TestServer::superuser() const {
  return {.host = running_ ? running_->host : "127.0.0.1",
          .port = port(),
          .user = running_ ? running_->user : "postgres",
          .database = "postgres"};
}

PostgresOptions TestServer::NewSchema() {
  const std::string schema = Cat("troth_test", ++schemas_);
  const ConnectionOptions account = superuser();
  const auto connection = Connection::Open(account);
  TROTH_CHECK(connection.ok());
  // A server that runs has those of an earlier run.
  TROTH_CHECK((*connection)->Execute(Cat("drop schema if exists ", schema, " cascade")).ok());
  TROTH_CHECK((*connection)->Execute(Cat("create schema ", schema)).ok());
  return {.host = account.host,
          .port = account.port,
          .user = account.user,
          .database = account.database,
          .schema = schema};
}

}  // namespace troth::postgres
