// The client against real servers: one, restarted; a cluster; a master with Sentinels.

#include "store/redis/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <utility>

#include "base/text.h"
#include "store/redis/command.h"
#include "store/redis/redis_testing.h"

namespace troth::redis {
namespace {

using testing::HasSubstr;

// ARGV[1] is appended to the list KEYS[1]; answers the list's length.
constexpr char kPush[] = "return redis.call('RPUSH', KEYS[1], ARGV[1])";
constexpr char kPushSha[] = "b9705020f551c492b7692cdba607bbdb64837972";

std::unique_ptr<Client> ClientOf(const RedisServer& server, Login login = {}) {
  return std::make_unique<Client>(
      FindAmong({server.endpoint()}), login, "{a}u", std::vector<std::string>{kPush});
}

TEST(Client, RunsManyCommandsInTheirOrder) {
  const RedisServer server;
  const auto client = ClientOf(server);
  Batch batch;
  const std::string large(100'000, 'x');
  for (int i = 0; i < 1000; ++i) {
    batch.Add({"RPUSH", "list", i % 100 == 0 ? std::string_view(large) : "small"});
  }
  const std::vector<Answer> answers = client->Run(batch, Repeat::kNo);
  ASSERT_EQ(answers.size(), 1000U);
  for (size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i].status.ok()) << answers[i].status;
    EXPECT_EQ(Integer(answers[i].reply.get()), static_cast<int64_t>(i + 1));
    EXPECT_FALSE(answers[i].lost);
  }
}

TEST(Client, TellsWhatRedisRefusesOfABatch) {
  const RedisServer server;
  const auto client = ClientOf(server);
  Batch batch;
  batch.Add({"SET", "text", "1"});
  batch.Add({"RPUSH", "text", "1"});
  batch.Add({"GET", "text"});
  const std::vector<Answer> answers = client->Run(batch, Repeat::kYes);
  EXPECT_TRUE(answers[0].status.ok());
  EXPECT_THAT(std::string(Message(answers[1].status)), HasSubstr("WRONGTYPE"));
  EXPECT_EQ(Text(answers[2].reply.get()), "1");
}

TEST(Client, LoadsScriptsWhereTheyAreMissing) {
  const RedisServer server;
  const auto client = ClientOf(server);
  for (int64_t length = 1; length <= 2; ++length) {
    const auto pushed = client->Run({"EVALSHA", kPushSha, "1", "list", "x"}, Repeat::kNo);
    ASSERT_TRUE(pushed.ok()) << pushed.status();
    EXPECT_EQ(Integer(pushed->get()), length);
    server.Ask("SCRIPT FLUSH");
  }
}

TEST(Client, LogsIn) {
  const RedisServer server({"requirepass secret", "user tm on >other ~* +@all"});
  EXPECT_TRUE(ClientOf(server, {.password = "secret"})->Run({"PING"}, Repeat::kNo).ok());
  EXPECT_TRUE(
      ClientOf(server, {.user = "tm", .password = "other"})->Run({"PING"}, Repeat::kNo).ok());
  const auto wrong = ClientOf(server, {.password = "guess"})->Run({"PING"}, Repeat::kNo);
  EXPECT_EQ(wrong.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(wrong.status())), HasSubstr("check Store.User"));
}

TEST(Client, RidesOutARestart) {
  RedisServer server;
  const auto client = ClientOf(server);
  ASSERT_TRUE(client->Run({"SET", "a", "1"}, Repeat::kYes).ok());
  server.Kill();
  auto set = std::async(std::launch::async,
                        [&] { return client->Run({"SET", "a", "2"}, Repeat::kYes).status(); });
  server.Start();
  EXPECT_TRUE(set.get().ok());
  EXPECT_EQ(server.Ask("GET a"), "2");
}

TEST(Client, SaysWhoDoesNotAnswer) {
  RedisServer server;
  server.Kill();
  Client client(
      FindAmong({server.endpoint()}), {}, "{a}u", {}, {.patience = std::chrono::milliseconds(50)});
  const auto answer = client.Run({"PING"}, Repeat::kYes);
  EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(Message(answer.status())),
              HasSubstr(Cat("cannot connect to Redis at 127.0.0.1:", server.endpoint().port)));
}

TEST(Client, TellsWhatItHeardBeforeItsTimeWasUp) {
  // Told why there is no master at first; later nobody answers.
  class FallsSilent final : public MasterFinder {
   public:
    StatusOr<Endpoint> Find(Deadline deadline) override {
      if (!std::exchange(silent_, true)) return Unavailable("there is no master yet");
      std::this_thread::sleep_until(deadline);  // as a server does that does not answer
      return Unavailable("no answer in time");
    }
    void OnMoved(const Endpoint&) override {}
    void OnLost(const Endpoint&) override {}

   private:
    bool silent_ = false;
  };
  Client client(
      std::make_unique<FallsSilent>(), {}, "{a}u", {}, {.patience = std::chrono::milliseconds(50)});
  EXPECT_THAT(std::string(Message(client.Run({"PING"}, Repeat::kYes).status())),
              HasSubstr("there is no master yet"));
}

TEST(Client, DoesNotRepeatWhatMustNotBe) {
  const RedisServer server;
  const auto client = ClientOf(server);
  Batch batch;
  batch.Add({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
  batch.Add({"INCR", "n"});
  std::vector<Answer> answers = client->Run(batch, Repeat::kNo);
  EXPECT_FALSE(answers[1].status.ok());
  EXPECT_TRUE(answers[1].lost);
}

TEST(Client, TellsWhatIsNotRedis) {
  EXPECT_EQ(ParseEndpoint("host").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseEndpoint("[::1]:7")->host, "::1");
  ReplyReader reader;
  std::vector<ReplyPtr> replies;
  EXPECT_THAT(std::string(Message(reader.Feed("HTTP/1.1 400 Bad Request\r\n", replies))),
              HasSubstr("this is not Redis"));
}

TEST(ClusterClient, FollowsTheOwnerOfASlot) {
  const auto servers = StartCluster(3);
  for (const auto& server : servers) {
    // The others are known by asking only.
    for (const std::string_view key : {"{a}1", "{b}1", "{c}1"}) {
      Client client(FindAmong({server->endpoint()}), {}, std::string(key), {});
      EXPECT_TRUE(client.Run({"SET", key, "1"}, Repeat::kYes).ok());
    }
  }
}

TEST(ClusterClient, AsksTheOwnerWhatHasNoKey) {
  const auto servers = StartCluster(3);
  for (const auto& server : servers) {
    Client client(FindAmong({server->endpoint()}), {}, "{a}u", {});
    EXPECT_TRUE(client.Run({"SET", "{a}1", "1"}, Repeat::kYes).ok());
  }
  for (const auto& server : servers) {
    Client client(FindAmong({server->endpoint()}), {}, "{a}u", {});
    const auto size = client.Run({"DBSIZE"}, Repeat::kYes);
    ASSERT_TRUE(size.ok()) << size.status();
    EXPECT_EQ(Integer(size->get()), 1);
  }
}

TEST(ClusterClient, AsksAnotherNodeWhenOneIsDead) {
  const auto servers = StartCluster(3);  // the two that are left are most, and go on
  for (const auto& server : servers) {
    server->Ask("CONFIG SET cluster-require-full-coverage no");
  }
  servers[0]->Kill();
  Client client(FindAmong({servers[0]->endpoint(), servers[2]->endpoint()}), {}, "{a}u", {});
  // {a} is in slot 15495, which the last node has.
  EXPECT_TRUE(client.Run({"SET", "{a}1", "1"}, Repeat::kYes).ok());
}

TEST(SentinelClient, FindsTheNewMasterAfterAFailover) {
  RedisServer master;
  const RedisServer replica({Cat("replicaof 127.0.0.1 ", master.endpoint().port)});
  ASSERT_TRUE(Eventually([&] {
    return replica.Ask("INFO replication").find("master_link_status:up") != std::string::npos;
  }));
  const auto sentinel = StartSentinel(master.endpoint());
  ASSERT_TRUE(Eventually([&] {
    return sentinel->Ask("SENTINEL replicas mymaster").find("slave") != std::string::npos;
  }));
  Client client(FindBySentinel("mymaster", {sentinel->endpoint()}, {}), {}, "{a}u", {});
  ASSERT_TRUE(client.Run({"SET", "a", "1"}, Repeat::kYes).ok());
  ASSERT_TRUE(Eventually([&] { return replica.Ask("GET a") == "1"; }));
  master.Kill();
  EXPECT_TRUE(Eventually([&] { return client.Run({"SET", "a", "2"}, Repeat::kYes).ok(); }));
  EXPECT_EQ(replica.Ask("GET a"), "2");
}

TEST(SentinelClient, SaysThatNoSentinelKnowsTheName) {
  const RedisServer master;
  const auto sentinel = StartSentinel(master.endpoint());
  Client client(FindBySentinel("other", {sentinel->endpoint()}, {}),
                {},
                "{a}u",
                {},
                {.patience = std::chrono::milliseconds(500)});
  EXPECT_THAT(std::string(Message(client.Run({"PING"}, Repeat::kYes).status())),
              HasSubstr("Store.SentinelMaster"));
}

}  // namespace
}  // namespace troth::redis
