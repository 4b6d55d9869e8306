#pragma once
// For tests: a server of the test's own, as a child process, with a folder and a port that it keeps
// when it is killed and started again. Both go away at the end, also when the test is killed.

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace troth {

// The program to start: the one in the folder that the environment variable TROTH_TEST_PROGRAMS
// names, to test with another version of a server, or else what `name` is on the PATH.
std::string TestProgram(std::string_view name);

// A server that runs already, for tests that need no other, as this variable of the environment
// names it: USER@HOST:PORT, an account without a password that may do everything.
struct RunningServer {
  std::string user;
  std::string host;
  uint16_t port = 0;
};
std::optional<RunningServer> RunningServerIn(const char* variable);

// Polls until it holds; false after a generous deadline, which only failing tests wait for.
bool Eventually(const std::function<bool()>& holds);

struct ServerProcessOptions {
  bool as_nobody = false;      // when we are root, which some servers refuse
  int death_signal = SIGKILL;  // what it gets when the thread that started it ends
};

// One thread at a time, the one that made it.
class ServerProcess {
 public:
  // `name` is a part of its folder's.
  explicit ServerProcess(std::string_view name, ServerProcessOptions options = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

  // Runs a program in the folder to its end, which must be a good one. By name or path.
  Status RunToEnd(const std::vector<std::string>& command);
  // Kills the server if it runs, starts it in the folder, and returns when `answers` is OK.
  Status Start(const std::vector<std::string>& command, const std::function<Status()>& answers);
  // SIGKILL, to its children too, as when the machine loses its power. All have ended when it
  // returns.
  void Kill();

  // What it and the programs before it have said so far.
  std::string Log() const;

 private:
  pid_t Launch(const std::vector<std::string>& command) const;

  const ServerProcessOptions options_;
  const std::filesystem::path folder_;
  const uint16_t port_;
  pid_t pid_ = 0;
};

}  // namespace troth
