#pragma once
// Real Redis servers for tests (store/server_process.h). A failure to start one ends the test
// program: without it nothing is tested.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/redis/connection.h"
#include "store/server_process.h"

namespace troth::redis {

class RedisServer {
 public:
  // Returns when it answers. `options` are lines of redis.conf; by default nothing is written to
  // disk.
  explicit RedisServer(std::vector<std::string> options = {});

  const Endpoint& endpoint() const { return endpoint_; }
  const std::filesystem::path& folder() const { return process_.folder(); }

  void Kill() { process_.Kill(); }  // what is on disk stays
  void Start();                     // after Kill, with the same options, folder and port

  // One command of words, on a connection of its own. The reply as text: arrays in lines.
  std::string Ask(std::string_view words) const;

 private:
  ServerProcess process_{"redis"};
  const Endpoint endpoint_;
  const std::vector<std::string> options_;
};

// A Sentinel that watches `master` as "mymaster" and needs no other to declare it dead.
std::unique_ptr<RedisServer> StartSentinel(const Endpoint& master);

// A cluster without replicas whose slots are spread over the servers.
std::vector<std::unique_ptr<RedisServer>> StartCluster(size_t nodes);

}  // namespace troth::redis
