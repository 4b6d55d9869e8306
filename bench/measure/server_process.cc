#include "bench/measure/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "base/text.h"
#include "bench/measure/allocations_variable.h"

namespace troth::bench {
namespace {

constexpr auto kStartDeadline = std::chrono::seconds(30);

bool Connects(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return connected;
}

[[noreturn]] void RunServer(const ServerOptions& options, const std::string& config) {
  PinToCores(options.cores);
  const int log = ::open("server.log", O_CREAT | O_WRONLY | O_TRUNC, 0644);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (!options.preload.empty()) {                        // nobody else runs in this process yet
    ::setenv("LD_PRELOAD", options.preload.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    ::setenv(kAllocationsVariable,
             options.allocations_path.c_str(),
             1);  // NOLINT(concurrency-mt-unsafe)
  }
  ::execl(options.binary.c_str(), "troth", "-c", config.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

void PinToCores(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core : cores) CPU_SET(static_cast<size_t>(core), &set);
  ::sched_setaffinity(0, sizeof(set), &set);
}

StatusOr<ServerProcess> ServerProcess::Start(const ServerOptions& options) {
  std::error_code ignored;
  std::filesystem::remove_all(options.directory, ignored);
  std::filesystem::create_directories(options.directory, ignored);
  const std::string config =
      Cat(std::filesystem::absolute(options.directory).string(), "/conf.yml");
  std::ofstream(config) << Cat("HttpPort: ",
                               options.http_port,
                               "\nGrpcPort: ",
                               options.grpc_port,
                               "\nShards: ",
                               options.shards,
                               "\nStore:\n  Path: data\n");
  ServerOptions absolute = options;
  absolute.binary = std::filesystem::absolute(options.binary).string();
  for (std::string* path : {&absolute.preload, &absolute.allocations_path}) {
    if (!path->empty()) *path = std::filesystem::absolute(*path).string();
  }
  const pid_t pid = ::fork();
  if (pid < 0) return Internal("fork failed");
  if (pid == 0) {
    if (::chdir(options.directory.c_str()) != 0) ::_exit(126);
    RunServer(absolute, config);
  }
  ServerProcess server(pid);
  const auto end = std::chrono::steady_clock::now() + kStartDeadline;
  while (!Connects(options.grpc_port)) {
    if (std::chrono::steady_clock::now() > end || ::waitpid(pid, nullptr, WNOHANG) == pid) {
      return Unavailable(Cat("the server did not start; see ", options.directory, "/server.log"));
    }
    std::this_thread::yield();
  }
  return server;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

ServerProcess::~ServerProcess() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace troth::bench
