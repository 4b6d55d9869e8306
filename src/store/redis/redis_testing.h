#pragma once
// For tests: real Redis servers of the test's own, on free ports of loopback, in folders that go
// away with them. A failure to start one ends the test program: without it nothing is tested.

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/redis/connection.h"

namespace troth::redis {

// Polls until it holds; false after a generous deadline, which only failing tests wait for.
bool Eventually(const std::function<bool()>& holds);

// A port nobody listens on, a different one each time.
uint16_t FreePort();

class RedisServer {
 public:
  // Returns when it answers. `options` are lines of redis.conf; by default nothing is written to
  // disk. The server ends with the thread that started it.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }
  const std::filesystem::path& folder() const { return folder_; }

  void Kill();   // SIGKILL; what is on disk stays
  void Start();  // after Kill, with the same options, folder and port

  // One command of words, on a connection of its own. The reply as text: arrays in lines.
  std::string Ask(std::string_view words) const;

 private:
  const Endpoint endpoint_;
  std::filesystem::path folder_;
  std::vector<std::string> options_;
  pid_t process_ = 0;
};

// A Sentinel that watches `master` as "mymaster" and needs no other to declare it dead.
std::unique_ptr<RedisServer> StartSentinel(const Endpoint& master);

// A cluster without replicas whose slots are spread over the servers.
std::vector<std::unique_ptr<RedisServer>> StartCluster(size_t nodes);

}  // namespace troth::redis
