#include "store/mysql/mysql_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include "base/random.h"
#include "base/text.h"

namespace troth::mysql {
namespace {

namespace fs = std::filesystem;

constexpr Duration kPatience = Seconds(60);  // a loaded machine initializes slowly
constexpr Duration kPollInterval = std::chrono::milliseconds(10);

std::string CurrentUser() {
  const passwd* const user = ::getpwuid(::getuid());
  return user == nullptr ? "mysql" : user->pw_name;
}

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

// Runs a program with its output in `log`; it ends with this process.
pid_t Launch(const std::vector<std::string>& command, const fs::path& log) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A server clears away what it finds in its folder for temporary tables, which must be its own.
  ::setenv("TMPDIR", log.parent_path().c_str(), 1);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

StatusOr<std::unique_ptr<TestServer>> TestServer::Start(std::vector<std::string> options) {
  Random random = Random::FromDevice();
  std::unique_ptr<TestServer> server(new TestServer(
      fs::temp_directory_path() / ("troth-mysql-" + NewUuid(random)), std::move(options)));
  TROTH_RETURN_IF_ERROR(server->Initialize());
  TROTH_RETURN_IF_ERROR(server->Restart());
  return server;
}

TestServer::TestServer(fs::path folder, std::vector<std::string> options)
    : folder_(std::move(folder)), options_(std::move(options)), port_(FreePort()) {}

TestServer::~TestServer() {
  Kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Status TestServer::Initialize() {
  fs::create_directories(folder_);
  const fs::path log = folder_ / "install.log";
  const pid_t pid = Launch({"mariadb-install-db",
                            "--no-defaults",
                            Cat("--user=", CurrentUser()),
                            Cat("--datadir=", (folder_ / "data").string()),
                            "--auth-root-authentication-method=normal",
                            "--skip-test-db",
                            "--skip-name-resolve"},
                           log);
  int status = 0;
  if (::waitpid(pid, &status, 0) == pid && status == 0) return OkStatus();
  return Internal(Cat("mariadb-install-db failed (./dev setup installs it); see ", log.string()));
}

Status TestServer::Restart() {
  Kill();
  std::vector<std::string> command = {"mariadbd",
                                      "--no-defaults",
                                      Cat("--user=", CurrentUser()),
                                      Cat("--datadir=", (folder_ / "data").string()),
                                      Cat("--port=", port_),
                                      "--bind-address=127.0.0.1",
                                      Cat("--socket=", (folder_ / "socket").string()),
                                      "--innodb-buffer-pool-size=64M",
                                      "--skip-name-resolve"};
  command.insert(command.end(), options_.begin(), options_.end());
  pid_ = Launch(command, folder_ / "server.log");
  return AwaitAnswer();
}

Status TestServer::AwaitAnswer() {
  const TimePoint end = SystemClock().Now() + kPatience;
  while (true) {
    const auto connection = Connection::Open(superuser());
    if (connection.ok()) return OkStatus();
    if (SystemClock().Now() > end || ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      return Unavailable(Cat("MariaDB did not start; see ",
                             (folder_ / "server.log").string(),
                             ": ",
                             Message(connection.status())));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

void TestServer::Kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

ConnectionOptions TestServer::superuser() const {
  return {.host = "127.0.0.1", .port = port_, .user = "root"};
}

MysqlOptions TestServer::StoreOptions(std::string_view database) const {
  return {.host = "127.0.0.1",
          .port = port_,
          .user = "root",
          .database = std::string(database),
          .idle_conns_max = 10};
}

}  // namespace troth::mysql
