#pragma once
// All of troth wired together, in start order: store, loops, discovery, callers, manager, APIs,
// listeners, registration. Stops in the reverse order, losing nothing that was acknowledged.

#include <memory>

#include "base/status.h"
#include "base/time.h"
#include "config/config.h"

namespace rocksdb {
class Env;
}

namespace troth {

// What a test puts in the place of the machine's; each outlives the server.
struct ServerHooks {
  rocksdb::Env* disk = nullptr;  // of the embedded store
  const Clock* clock = nullptr;
};

class Server {
 public:
  // Starts everything; on return clients can connect. The error says what could not be had and what
  // to do.
  static StatusOr<std::unique_ptr<Server>> Start(Config config,
                                                 bool reset_store,
                                                 const ServerHooks& hooks = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until SIGTERM or SIGINT, then drains: de-registers, stops accepting, finishes or parks
  // what is in flight, closes the store. A second signal ends the process at once.
  void Run();
  // Any thread, while Run runs: what SIGTERM does.
  void Stop();

  uint16_t http_port() const;
  uint16_t grpc_port() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace troth
