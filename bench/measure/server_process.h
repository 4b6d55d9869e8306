#pragma once
// The server under measurement: started with a store of its own, pinned to cores, watched from
// outside, ended at the end.

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/status.h"

namespace troth::bench {

struct ServerOptions {
  std::string binary;            // build/release/troth
  std::string directory;         // for the store and the log; made, and emptied first
  std::vector<int> cores = {0};  // what the server may run on
  uint16_t http_port = 0;
  uint16_t grpc_port = 0;
  int shards = 1;
  std::string preload{};           // a library for LD_PRELOAD; empty: none
  std::string allocations_path{};  // for that library (measure/allocation_counter.h)
};

class ServerProcess {
 public:
  // Returns when the server accepts connections.
  static StatusOr<ServerProcess> Start(const ServerOptions& options);
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  ~ServerProcess();  // SIGTERM, then waits

  pid_t pid() const { return pid_; }

 private:
  explicit ServerProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// Keeps the calling thread, and those it starts, on these cores.
void PinToCores(const std::vector<int>& cores);

}  // namespace troth::bench
