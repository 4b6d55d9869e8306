#include "store/postgres/postgres_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/text.h"

namespace troth::postgres {
namespace {

namespace fs = std::filesystem;

constexpr Duration kPatience = Seconds(60);  // a loaded machine initializes slowly
constexpr Duration kPollInterval = std::chrono::milliseconds(10);

// The newest of Debian's installed versions; empty when there is none.
fs::path Programs() {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (fs::exists(entry.path() / "bin" / "initdb", ignored)) found.push_back(entry.path() / "bin");
  }
  return found.empty() ? fs::path() : *std::ranges::max_element(found);
}

const passwd* Unprivileged() { return ::getuid() == 0 ? ::getpwnam("nobody") : nullptr; }

uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), length);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  return ntohs(address.sin_port);
}

// Every connection is a process of its own, in a session of its own.
std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::ifstream list(Cat("/proc/", pid, "/task/", pid, "/children"));
  return {std::istream_iterator<pid_t>(list), std::istream_iterator<pid_t>()};
}

// Runs a program with its output in `log`; it ends with this process.
pid_t Launch(const std::vector<std::string>& command, const fs::path& log) {
  const passwd* const user = Unprivileged();
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (::chdir(log.parent_path().c_str()) != 0) ::_exit(126);
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // PostgreSQL stops at once and ends its children
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

StatusOr<std::unique_ptr<TestServer>> TestServer::Start(std::string_view options) {
  Random random = Random::FromDevice();
  std::unique_ptr<TestServer> server(
      new TestServer(fs::temp_directory_path() / ("troth-postgres-" + NewUuid(random))));
  TROTH_RETURN_IF_ERROR(server->Initialize(options));
  TROTH_RETURN_IF_ERROR(server->Restart());
  return server;
}

TestServer::TestServer(fs::path folder) : folder_(std::move(folder)), port_(FreePort()) {}

TestServer::~TestServer() {
  Kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Status TestServer::Initialize(std::string_view options) {
  const fs::path programs = Programs();
  if (programs.empty()) return NotFound("PostgreSQL is not installed: ./dev setup brings it");
  fs::create_directories(folder_);
  if (const passwd* const user = Unprivileged()) {
    if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) return Internal("chown failed");
  }
  const pid_t pid = Launch({(programs / "initdb").string(),
                            "--pgdata=data",
                            "--username=postgres",
                            "--auth=trust",
                            "--no-sync",
                            "--encoding=UTF8",
                            "--locale=C"},
                           folder_ / "initdb.log");
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || status != 0) {
    return Internal(Cat("initdb failed; see ", (folder_ / "initdb.log").string()));
  }
  std::ofstream(folder_ / "data" / "postgresql.conf", std::ios::app)
      << "port = " << port_ << "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
      << "shared_buffers = 32MB\nmax_connections = 50\nlog_min_messages = warning\n"
      << options << '\n';
  return OkStatus();
}

Status TestServer::Restart() {
  Kill();
  pid_ = Launch({(Programs() / "postgres").string(), "-D", "data"}, folder_ / "server.log");
  return AwaitAnswer();
}

Status TestServer::AwaitAnswer() {
  const TimePoint end = SystemClock().Now() + kPatience;
  while (true) {
    const auto connection = Connection::Open(superuser());
    if (connection.ok()) return OkStatus();
    if (SystemClock().Now() > end || ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      return Unavailable(Cat("PostgreSQL did not start; see ",
                             (folder_ / "server.log").string(),
                             ": ",
                             Message(connection.status())));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

std::string TestServer::Log() const {
  std::stringstream text;
  text << std::ifstream(folder_ / "server.log").rdbuf();
  return text.str();
}

void TestServer::Kill() {
  if (pid_ == 0) return;
  const std::vector<pid_t> children = ChildrenOf(pid_);
  ::kill(pid_, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

ConnectionOptions TestServer::superuser() const {
  return {.host = "127.0.0.1", .port = port_, .user = "postgres", .database = "postgres"};
}

PostgresOptions TestServer::NewSchema() {
  const std::string schema = Cat("test", ++schemas_);
  const auto connection = Connection::Open(superuser());
  TROTH_CHECK(connection.ok() && (*connection)->Execute(Cat("create schema ", schema)).ok());
  return {.host = "127.0.0.1",
          .port = port_,
          .user = "postgres",
          .database = "postgres",
          .schema = schema};
}

}  // namespace troth::postgres
