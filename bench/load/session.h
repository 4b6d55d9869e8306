#pragma once
// A whole measurement: starts the server (or uses one that runs), repeats the run, alternates with
// a rival so that both meet the same machine, and adds what needs a run of its own.

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "bench/load/load_run.h"
#include "bench/load/target.h"
#include "bench/measure/server_process.h"

namespace troth::bench {

// A server of ours, and how to reach it. Ends when this goes.
class OwnServer {
 public:
  static StatusOr<OwnServer> Start(ServerOptions options);
  const Target& target() const { return target_; }

 private:
  OwnServer(ServerProcess process, Target target)
      : process_(std::move(process)), target_(std::move(target)) {}
  ServerProcess process_;
  Target target_;
};

// While this lives a server stands still and takes nothing from others.
class Paused {
 public:
  explicit Paused(const OwnServer& server) : pid_(server.target().pid) { ::kill(pid_, SIGSTOP); }
  ~Paused() { ::kill(pid_, SIGCONT); }
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;

 private:
  const pid_t pid_;
};

struct SessionOptions {
  LoadOptions load;
  int repeats = 3;
  double counting_seconds = 1;  // a run more with the kernel's counters; 0: none
  ServerOptions server;         // ours; ports are found
  std::string preload{};  // library that counts allocations, in a server of its own; empty: no
  std::vector<Target> targets;  // running servers instead; measured in turns
};

struct TargetSummary {
  std::string name;
  Summary summary;
};

StatusOr<std::vector<TargetSummary>> RunSession(const SessionOptions& options);

// "grpc=host:port,http=host:port,pid=N,store-pid=N,name=TEXT", each part where it is needed.
StatusOr<Target> ParseTarget(const std::string& text);

}  // namespace troth::bench
