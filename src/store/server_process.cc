#include "store/server_process.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/free_port.h"
#include "base/random.h"
#include "base/text.h"

namespace troth {
namespace {

namespace fs = std::filesystem;

constexpr auto kPatience = std::chrono::seconds(60);  // a loaded machine is slow
constexpr auto kPoll = std::chrono::milliseconds(10);

fs::path NewFolder(std::string_view name) {
  Random random = Random::FromDevice();
  return fs::temp_directory_path() / Cat("troth-", name, "-", NewUuid(random));
}

// PostgreSQL has a process for each connection.
std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::ifstream list(Cat("/proc/", pid, "/task/", pid, "/children"));
  return {std::istream_iterator<pid_t>(list), std::istream_iterator<pid_t>()};
}

// True for one that nobody has waited for yet, too: its memory is given back.
bool HasEnded(pid_t pid) {
  std::stringstream stat;
  stat << std::ifstream(Cat("/proc/", pid, "/stat")).rdbuf();
  const std::string text = std::move(stat).str();
  const size_t name_end = text.rfind(')');  // "pid (any name) S ..."
  return name_end == std::string::npos || text.compare(name_end, 3, ") Z") == 0;
}

}  // namespace

std::string TestProgram(std::string_view name) {
  const char* const folder = std::getenv("TROTH_TEST_PROGRAMS");
  const fs::path program = fs::path(folder == nullptr ? "" : folder) / name;
  std::error_code ignored;
  return folder != nullptr && fs::exists(program, ignored) ? program.string() : std::string(name);
}

std::optional<RunningServer> RunningServerIn(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr) return std::nullopt;
  const std::string_view text = value;
  const size_t at = text.find('@'), colon = text.rfind(':');
  TROTH_CHECK(at != std::string_view::npos && colon != std::string_view::npos && at < colon);
  const auto port = ParseInt(text.substr(colon + 1));
  TROTH_CHECK(port.has_value());
  return RunningServer{.user = std::string(text.substr(0, at)),
                       .host = std::string(text.substr(at + 1, colon - at - 1)),
                       .port = static_cast<uint16_t>(*port)};
}

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

ServerProcess::ServerProcess(std::string_view name, ServerProcessOptions options)
    : options_(options), folder_(NewFolder(name)), port_(FreePort()) {
  std::error_code ignored;  // what is started in it fails, and tells
  fs::create_directories(folder_, ignored);
}

ServerProcess::~ServerProcess() {
  Kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t ServerProcess::Launch(const std::vector<std::string>& command) const {
  const passwd* const user = options_.as_nobody && ::getuid() == 0 ? ::getpwnam("nobody") : nullptr;
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const fs::path log = folder_ / "log";
  if (user != nullptr && ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) return -1;
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  // A server may clear away what it finds in its folder for temporary files, which must be its own.
  ::setenv("TMPDIR", folder_.c_str(), 1);
  if (::chdir(folder_.c_str()) != 0) ::_exit(126);
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, options_.death_signal);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

Status ServerProcess::RunToEnd(const std::vector<std::string>& command) {
  const pid_t pid = Launch(command);
  int status = 0;
  if (pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0) return OkStatus();
  return Internal(Cat(command[0], " failed (./dev setup installs it): ", Log()));
}

Status ServerProcess::Start(const std::vector<std::string>& command,
                            const std::function<Status()>& answers) {
  Kill();
  pid_ = Launch(command);
  Status last;
  bool ended = pid_ <= 0;
  Eventually([&] {
    last = answers();
    ended = ended || ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    return last.ok() || ended;
  });
  if (ended) pid_ = 0;
  if (last.ok() && !ended) return OkStatus();
  return Unavailable(Cat(command[0], " did not start: ", Message(last), ": ", Log()));
}

void ServerProcess::Kill() {
  if (pid_ == 0) return;
  const pid_t pid = std::exchange(pid_, 0);
  int status = 0;
  ::kill(pid, SIGSTOP);                                                          // no more children
  if (::waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) return;  // it had ended
  const std::vector<pid_t> children = ChildrenOf(pid);
  ::kill(pid, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  // PostgreSQL does not start again beside a child that still has its memory.
  Eventually([&] { return std::all_of(children.begin(), children.end(), HasEnded); });
}

std::string ServerProcess::Log() const {
  std::stringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return text.str();
}

}  // namespace troth
