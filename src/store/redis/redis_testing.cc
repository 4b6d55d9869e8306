#include "store/redis/redis_testing.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "base/check.h"
#include "base/random.h"
#include "base/text.h"
#include "store/redis/command.h"

namespace troth::redis {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kPoll = std::chrono::milliseconds(10);

bool IsFree(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return bound;
}

std::string AsText(const redisReply* reply) {
  if (reply == nullptr || reply->type == REDIS_REPLY_NIL) return "(nil)";
  if (reply->type == REDIS_REPLY_INTEGER) return Cat(reply->integer);
  if (reply->type != REDIS_REPLY_ARRAY) return std::string(Text(reply));
  std::string lines;
  for (const redisReply* element : Elements(reply)) CatTo(lines, AsText(element), "\n");
  return lines;
}

pid_t Spawn(const std::filesystem::path& folder, const std::string& mode) {
  const std::string conf = folder / "redis.conf", log = folder / "redis.log";
  const pid_t child = fork();
  if (child != 0) return child;
  // A test that is killed takes its servers with it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = open(log.c_str(), O_CREAT | O_APPEND | O_WRONLY, 0600);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execlp(
      "redis-server", "redis-server", conf.c_str(), mode.empty() ? nullptr : mode.c_str(), nullptr);
  _exit(127);
}

bool IsSentinel(const std::vector<std::string>& options) {
  return !options.empty() && options[0].starts_with("sentinel ");
}

}  // namespace

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

uint16_t FreePort() {
  // Below the ports that the system hands to outgoing connections, so that a server can come back.
  constexpr int kLowest = 20000, kCount = 12000;
  static std::mutex mutex;
  static std::set<uint16_t> given;
  static Random random = Random::FromDevice();
  const std::lock_guard lock(mutex);
  while (true) {
    const auto port = static_cast<uint16_t>(kLowest + random.Next() % kCount);
    if (IsFree(port) && given.insert(port).second) return port;
  }
}

RedisServer::RedisServer(std::vector<std::string> options)
    : endpoint_{"127.0.0.1", FreePort()}, options_(std::move(options)) {
  Random random = Random::FromDevice();
  folder_ = std::filesystem::temp_directory_path() / ("troth-redis-" + NewUuid(random));
  std::filesystem::create_directories(folder_);
  std::ofstream conf(folder_ / "redis.conf");
  conf << "port " << endpoint_.port << "\nbind 127.0.0.1\ndir " << folder_.string() << "\n";
  if (!IsSentinel(options_)) conf << "save \"\"\nappendonly no\n";
  for (const std::string& option : options_) conf << option << "\n";
  conf.close();
  Start();
}

RedisServer::~RedisServer() {
  Kill();
  std::filesystem::remove_all(folder_);
}

void RedisServer::Kill() {
  if (process_ == 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

void RedisServer::Start() {
  process_ = Spawn(folder_, IsSentinel(options_) ? "--sentinel" : "");
  const bool answers = Eventually([this] {
    const std::string answer = Ask("PING");
    return answer == "PONG" || answer.starts_with("NOAUTH");
  });
  if (answers) return;
  std::ifstream log(folder_ / "redis.log");
  std::stringstream text;
  text << log.rdbuf();
  std::fprintf(stderr, "redis-server does not start:\n%s\n", text.str().c_str());
  std::abort();
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
      "sentinel down-after-milliseconds mymaster 500",
      "sentinel failover-timeout mymaster 3000"});
}

std::vector<std::unique_ptr<RedisServer>> StartCluster(size_t nodes) {
  constexpr size_t kSlots = 16384;
  std::vector<std::unique_ptr<RedisServer>> servers;
  for (size_t i = 0; i < nodes; ++i) {
    servers.push_back(std::make_unique<RedisServer>(std::vector<std::string>{
        "cluster-enabled yes", "cluster-node-timeout 2000", Cat("cluster-port ", FreePort())}));
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
