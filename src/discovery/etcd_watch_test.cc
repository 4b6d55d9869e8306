// Following services in a real etcd, through everything that can happen to it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <mutex>

#include "base/text.h"
#include "discovery/directory.h"
#include "discovery/etcd_testing.h"
#include "discovery/instance_json.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Follows one target on a loop of its own; any thread may look.
class Follower {
 public:
  Follower(Directory& directory, std::string_view target, std::string_view scheme = "grpc") {
    auto subscription =
        directory.Subscribe(target, scheme, loop_.loop(), [this](const EndpointList& list) {
          std::lock_guard lock(mutex_);
          list_ = list;
        });
    EXPECT_TRUE(subscription.ok()) << Message(subscription.status());
    if (subscription.ok()) subscription_ = *std::move(subscription);
  }
  ~Follower() {
    loop_.Do([this] { subscription_.reset(); });
  }

  EndpointList List() {
    std::lock_guard lock(mutex_);
    return list_;
  }
  std::vector<std::string> Addresses() {
    std::vector<std::string> addresses;
    for (const Endpoint& endpoint : List().endpoints) addresses.push_back(endpoint.address);
    return addresses;
  }
  bool Sees(const std::vector<std::string>& addresses) {
    return WaitUntil([&] { return Addresses() == addresses; });
  }

 private:
  std::mutex mutex_;
  EndpointList list_;
  net::LoopThread loop_;
  std::unique_ptr<Subscription> subscription_;
};

std::string KeyOf(std::string_view name, std::string_view id) {
  return Cat(ServicePrefix(name), id);
}

std::string ValueOf(std::string_view name, std::string_view id, std::string_view endpoint) {
  ServiceInstance instance;
  instance.id = id;
  instance.name = name;
  instance.endpoints = {std::string(endpoint)};
  return EncodeInstance(instance);
}

class EtcdWatchTest : public testing::Test {
 protected:
  EtcdWatchTest()
      : directory_(std::make_unique<Directory>(
            home_.loop(), *ParseRegistryTarget(Cat("etcd://", etcd_.address(), "/dtmservice")))) {}
  ~EtcdWatchTest() override {
    home_.Do([this] { directory_.reset(); });
  }
  void Put(std::string_view name, std::string_view id, std::string_view endpoint) {
    etcd_.Put(KeyOf(name, id), ValueOf(name, id, endpoint));
  }
  bool Restart() {
    etcd_.Kill();
    etcd_.Start();
    return etcd_.Answers();
  }

  EtcdServer etcd_;
  net::LoopThread home_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(EtcdWatchTest, SeesInstancesComeChangeAndGo) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  Put("trans", "2", "grpc://127.0.0.1:2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1", "127.0.0.1:2"}));
  Put("trans", "1", "grpc://127.0.0.1:3");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:3", "127.0.0.1:2"}));
  etcd_.Delete(KeyOf("trans", "1"));
  EXPECT_TRUE(follower.Sees({"127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, AnswersEveryFormOfAddress) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  for (const std::string& target : {std::string("discovery:///trans"),
                                    // The registry of the configuration, whatever host is named.
                                    std::string("discovery://127.0.0.1:1/trans"),
                                    Cat("discovery://", etcd_.address(), "/trans"),
                                    Cat("etcd://", etcd_.address(), "/trans")}) {
    Follower follower(*directory_, target);
    EXPECT_TRUE(follower.Sees({"127.0.0.1:1"})) << target;
  }
}

TEST_F(EtcdWatchTest, AsksTheHostOfTheAddressWhenNoRegistryIsConfigured) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  home_.Do([this] { directory_ = std::make_unique<Directory>(home_.loop(), RegistryTarget()); });
  {
    Follower follower(*directory_, Cat("discovery://", etcd_.address(), "/trans"));
    EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  }
  net::Loop unused;
  const auto refused =
      directory_->Subscribe("discovery:///trans", "grpc", unused, [](const EndpointList&) {});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Message(refused.status())), HasSubstr("MicroService.Target"));
}

TEST_F(EtcdWatchTest, KeepsServicesApartWhoseNamesBeginAlike) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  Put("trans2", "1", "grpc://127.0.0.1:2");
  Put("trans/a", "1", "grpc://127.0.0.1:3");
  Follower follower(*directory_, "discovery:///trans");
  Follower longer(*directory_, "discovery:///trans2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  EXPECT_TRUE(longer.Sees({"127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, SkipsGarbage) {
  ASSERT_TRUE(etcd_.Answers());
  etcd_.Put(KeyOf("trans", "0"), "garbage");
  Put("trans", "1", "grpc://127.0.0.1:1");
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  etcd_.Put(KeyOf("trans", "3"), "\xff{");
  Put("trans", "2", "grpc://127.0.0.1:2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1", "127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, TakesAHundredInstances) {
  ASSERT_TRUE(etcd_.Answers());
  std::vector<std::pair<std::string, std::string>> entries;
  for (int i = 0; i < 100; ++i) {
    const std::string id = Cat(i);
    entries.emplace_back(KeyOf("trans", id), ValueOf("trans", id, Cat("grpc://10.0.0.1:", i + 1)));
  }
  etcd_.PutAll(entries);
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(WaitUntil([&] { return follower.Addresses().size() == 100; }));
}

TEST_F(EtcdWatchTest, KeepsTheLastEndpointsWhenAllInstancesLeave) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  Follower follower(*directory_, "discovery:///trans");
  Follower other(*directory_, "discovery:///other");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  etcd_.Delete(KeyOf("trans", "1"));
  // A later change that is seen shows that the earlier one was.
  Put("other", "1", "grpc://127.0.0.1:9");
  EXPECT_TRUE(other.Sees({"127.0.0.1:9"}));
  EXPECT_THAT(follower.Addresses(), ElementsAre("127.0.0.1:1"));
  Put("trans", "2", "grpc://127.0.0.1:2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, KeepsEndpointsWhileEtcdIsAwayAndGoesOnAfterwards) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  ASSERT_TRUE(Restart());
  EXPECT_THAT(follower.Addresses(), ElementsAre("127.0.0.1:1"));
  Put("trans", "2", "grpc://127.0.0.1:2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1", "127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, FollowsAnEtcdThatLostItsData) {
  ASSERT_TRUE(etcd_.Answers());
  for (int i = 0; i < 5; ++i) Put("trans", "1", "grpc://127.0.0.1:1");  // raises the revision
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  etcd_.Kill();
  etcd_.EmptyData();
  etcd_.Start();
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "2", "grpc://127.0.0.1:2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, SaysWhyThereIsNothingYetAndGoesOnTrying) {
  etcd_.Kill();
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(WaitUntil([&] { return follower.List().error.find("refused") != std::string::npos; }))
      << follower.List().error;
  EXPECT_FALSE(follower.List().resolved);
  etcd_.Start();
  ASSERT_TRUE(etcd_.Answers());
  EXPECT_TRUE(WaitUntil([&] { return follower.List().resolved; }));
  EXPECT_THAT(follower.List().error, HasSubstr("no instance of 'trans' is registered"));
  Put("trans", "1", "http://127.0.0.1:1");
  EXPECT_TRUE(WaitUntil([&] {
    return follower.List().error.find("has a plain grpc endpoint") != std::string::npos;
  }));
  Put("trans", "1", "grpc://127.0.0.1:1");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
}

TEST_F(EtcdWatchTest, SeesChangesAfterACompaction) {
  ASSERT_TRUE(etcd_.Answers());
  Put("trans", "1", "grpc://127.0.0.1:1");
  Follower follower(*directory_, "discovery:///trans");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1"}));
  Put("other", "1", "grpc://127.0.0.1:9");
  EXPECT_TRUE(etcd_.Call("/etcdserverpb.KV/Compact", EncodedField(1, etcd_.Revision())).ok());
  ASSERT_TRUE(Restart());
  Put("trans", "2", "grpc://127.0.0.1:2");
  EXPECT_TRUE(follower.Sees({"127.0.0.1:1", "127.0.0.1:2"}));
}

TEST_F(EtcdWatchTest, EndsAWatchOfCompactedRevisionsWithOutOfRange) {
  ASSERT_TRUE(etcd_.Answers());
  for (int i = 0; i < 3; ++i) Put("trans", "1", "grpc://127.0.0.1:1");
  EXPECT_TRUE(etcd_.Call("/etcdserverpb.KV/Compact", EncodedField(1, etcd_.Revision())).ok());
  std::unique_ptr<EtcdClient> client;
  std::unique_ptr<EtcdStream> stream;
  std::promise<Status> end;
  home_.Do([&] {
    EtcdOptions options;
    options.hosts = {etcd_.address()};
    client = EtcdClient::Make(home_.loop(), std::move(options));
    stream = client->Watch(
        ServicePrefix("trans"),
        1,
        [](const std::vector<EtcdEvent>&) {},
        [&](const Status& status) { end.set_value(status); });
  });
  auto ended = end.get_future();
  ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(ended.get().code(), StatusCode::kOutOfRange);
  home_.Do([&] {
    stream.reset();
    client.reset();
  });
}

TEST_F(EtcdWatchTest, ListsEndpointsOfBothSchemes) {
  ASSERT_TRUE(etcd_.Answers());
  etcd_.Put(KeyOf("trans", "1"),
            R"({"id":"1","name":"trans","endpoints":["http://[::1]:8000","grpc://[::1]:9000"]})");
  Follower grpc(*directory_, "discovery:///trans");
  Follower http(*directory_, "discovery:///trans", "http");
  EXPECT_TRUE(grpc.Sees({"[::1]:9000"}));
  EXPECT_TRUE(http.Sees({"[::1]:8000"}));
}

}  // namespace
}  // namespace troth
