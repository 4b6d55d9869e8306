#include "store/redis/redis_testing.h"

#include <hiredis/hiredis.h>

#include <chrono>
#include <fstream>

#include "base/check.h"
#include "base/free_port.h"
#include "base/log.h"
#include "base/text.h"
#include "store/redis/command.h"

namespace troth::redis {
namespace {

std::string AsText(const redisReply* reply) {
  if (reply == nullptr || reply->type == REDIS_REPLY_NIL) return "(nil)";
  if (reply->type == REDIS_REPLY_INTEGER) return Cat(reply->integer);
  if (reply->type != REDIS_REPLY_ARRAY) return std::string(Text(reply));
  std::string lines;
  for (const redisReply* element : Elements(reply)) CatTo(lines, AsText(element), "\n");
  return lines;
}

bool IsSentinel(const std::vector<std::string>& options) {
  return !options.empty() && options[0].starts_with("sentinel ");
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> options)
    : endpoint_{"127.0.0.1", process_.port()}, options_(std::move(options)) {
  std::ofstream conf(folder() / "redis.conf");
  conf << "port " << endpoint_.port << "\nbind 127.0.0.1\ndir " << folder().string() << "\n";
  if (!IsSentinel(options_)) conf << "save \"\"\nappendonly no\n";
  for (const std::string& option : options_) conf << option << "\n";
  conf.close();
  Start();
}

void RedisServer::Start() {
  std::vector<std::string> command = {TestProgram("redis-server"), "redis.conf"};
  if (IsSentinel(options_)) command.emplace_back("--sentinel");
  const Status started = process_.Start(command, [this] {
    const std::string answer = Ask("PING");
    return answer == "PONG" || answer.starts_with("NOAUTH") ? OkStatus() : Unavailable(answer);
  });
  if (!started.ok()) LogError("no Redis for the test", {{"error", started}});
  FlushLog();
  TROTH_CHECK(started.ok());
}

std::string RedisServer::Ask(std::string_view words) const {
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const auto connection = Connection::Open(endpoint_, {}, deadline);
  if (!connection.ok()) return std::string(Message(connection.status()));
  std::vector<ReplyPtr> replies;
  std::string command;
  AppendCommand(command, Split(words, ' '));
  const Status asked = (*connection)->Exchange(command, 1, replies, deadline);
  return asked.ok() ? AsText(replies[0].get()) : std::string(Message(asked));
}

std::unique_ptr<RedisServer> StartSentinel(const Endpoint& master) {
  return std::make_unique<RedisServer>(std::vector<std::string>{
      Cat("sentinel monitor mymaster ", master.host, " ", master.port, " 1"),
      "sentinel down-after-milliseconds mymaster 2000",
      "sentinel failover-timeout mymaster 3000"});
}

std::vector<std::unique_ptr<RedisServer>> StartCluster(size_t nodes) {
  constexpr size_t kSlots = 16384;
  std::vector<std::unique_ptr<RedisServer>> servers;
  for (size_t i = 0; i < nodes; ++i) {
    servers.push_back(std::make_unique<RedisServer>(std::vector<std::string>{
        "cluster-enabled yes", "cluster-node-timeout 5000", Cat("cluster-port ", FreePort())}));
  }
  for (size_t i = 0; i < nodes; ++i) {
    const std::string first = Cat(i * kSlots / nodes), last = Cat((i + 1) * kSlots / nodes - 1);
    servers[i]->Ask(Cat("CLUSTER ADDSLOTSRANGE ", first, " ", last));
    const std::string myself = servers[i]->Ask("CLUSTER NODES");
    // "<id> 127.0.0.1:<port>@<bus port> myself,master ..."
    const size_t at = myself.find('@');
    const std::string bus = myself.substr(at + 1, myself.find_first_of(" ,", at) - at - 1);
    servers[0]->Ask(Cat("CLUSTER MEET 127.0.0.1 ", servers[i]->endpoint().port, " ", bus));
  }
  for (const auto& server : servers) {
    TROTH_CHECK(Eventually([&] {
      const std::string info = server->Ask("CLUSTER INFO");
      return info.find("cluster_state:ok") != std::string::npos &&
             info.find(Cat("cluster_known_nodes:", nodes)) != std::string::npos;
    }));
  }
  return servers;
}

}  // namespace troth::redis
