// Registration in a real etcd, through everything that can happen to it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "base/free_port.h"
#include "base/text.h"
#include "discovery/directory.h"
#include "discovery/etcd_testing.h"

namespace troth {
namespace {

using std::chrono::milliseconds;
using testing::MatchesRegex;

constexpr std::string_view kPrefix = "/microservices/dtmservice/";
// Short leases, so that what takes a lease's time takes seconds.
constexpr EtcdTimes kShortLease = {.lease_ttl = Seconds(3)};
// discovery.md promises 5 s for a registry that is back. A busy machine gets three times as much,
// which is still less than the longest pause between attempts.
constexpr std::chrono::seconds kBackWithin{15};

class EtcdRegistrationTest : public testing::Test {
 protected:
  ~EtcdRegistrationTest() override {
    home_.Do([this] { directory_.reset(); });
  }

  // Registers at once, whether etcd answers or not.
  void Register(const EtcdTimes& times = {}, std::string_view credentials = "") {
    auto target = ParseRegistryTarget(Cat("etcd://", credentials, hosts_, "/dtmservice"));
    ASSERT_TRUE(target.ok()) << Message(target.status());
    directory_ = std::make_unique<Directory>(home_.loop(), *target, RegistryTimes{.etcd = times});
    ServiceInstance self;
    self.version = "v0.1.0";
    self.metadata = {{"weight", "100"}};
    self.endpoints = {"grpc://localhost:36790"};
    directory_->RegisterSelf(std::move(self));
  }
  bool Registered() { return etcd_.List(kPrefix).size() == 1; }
  EtcdEntry Entry() {
    EXPECT_TRUE(WaitUntil([this] { return Registered(); }));
    const auto entries = etcd_.List(kPrefix);
    return entries.empty() ? EtcdEntry() : entries.front();
  }

  EtcdServer etcd_;
  std::string hosts_ = etcd_.address();
  net::LoopThread home_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(EtcdRegistrationTest, WritesWhatKratosWrites) {
  ASSERT_TRUE(etcd_.Answers());
  Register();
  const EtcdEntry entry = Entry();
  const std::string id = entry.key.substr(kPrefix.size());
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"));
  EXPECT_EQ(
      entry.value,
      Cat("{\"id\":\"",
          id,
          "\",\"name\":\"dtmservice\",\"version\":\"v0.1.0\",\"metadata\":{\"weight\":\"100\"},"
          "\"endpoints\":[\"grpc://localhost:36790\"]}"));
  EXPECT_NE(entry.lease, 0);
}

TEST_F(EtcdRegistrationTest, OutlivesItsLeaseByKeepAlives) {
  ASSERT_TRUE(etcd_.Answers());
  Register({.lease_ttl = Seconds(9)});  // a keep-alive may come 6 s late
  const EtcdEntry first = Entry();
  const bool vanished = WaitUntil([this] { return !Registered(); }, milliseconds(11'000));
  EXPECT_FALSE(vanished);
  EXPECT_EQ(Entry().lease, first.lease);
}

TEST_F(EtcdRegistrationTest, IsBackWhenEtcdRestartsWithItsData) {
  ASSERT_TRUE(etcd_.Answers());
  Register();
  const EtcdEntry before = Entry();
  etcd_.Kill();
  etcd_.Start();
  ASSERT_TRUE(etcd_.Answers());
  // The old key is still there; a new lease shows that it was put anew.
  EXPECT_TRUE(WaitUntil(
      [&] {
        const auto entries = etcd_.List(kPrefix);
        return entries.size() == 1 && entries[0].lease != before.lease;
      },
      kBackWithin));
  EXPECT_EQ(Entry().key, before.key);
}

TEST_F(EtcdRegistrationTest, IsBackWhenEtcdRestartsEmpty) {
  ASSERT_TRUE(etcd_.Answers());
  Register();
  const EtcdEntry before = Entry();
  etcd_.Kill();
  etcd_.EmptyData();
  etcd_.Start();
  ASSERT_TRUE(etcd_.Answers());
  EXPECT_TRUE(WaitUntil([this] { return Registered(); }, kBackWithin));
  EXPECT_EQ(Entry().value, before.value);
}

TEST_F(EtcdRegistrationTest, RegistersAsSoonAsEtcdAppearsHoweverLongItsPause) {
  etcd_.Kill();
  Register({.backoff_min = Seconds(3600), .backoff_max = Seconds(3600)});
  etcd_.Start();
  ASSERT_TRUE(etcd_.Answers());
  EXPECT_TRUE(WaitUntil([this] { return Registered(); }, kBackWithin));
}

TEST_F(EtcdRegistrationTest, UsesAnotherHostWhenOneIsAway) {
  hosts_ = Cat("127.0.0.1:", FreePort(), ",", etcd_.address());
  ASSERT_TRUE(etcd_.Answers());
  Register();
  EXPECT_TRUE(WaitUntil([this] { return Registered(); }, kBackWithin));
}

TEST_F(EtcdRegistrationTest, TakesANewLeaseWhenItsLeaseIsRevoked) {
  ASSERT_TRUE(etcd_.Answers());
  Register(kShortLease);
  const EtcdEntry before = Entry();
  EXPECT_TRUE(etcd_.Revoke(before.lease).ok());
  EXPECT_TRUE(WaitUntil([this] { return Registered(); }, kBackWithin));
  EXPECT_NE(Entry().lease, before.lease);
}

TEST_F(EtcdRegistrationTest, PutsItsKeyAgainWhenSomebodyDeletedIt) {
  ASSERT_TRUE(etcd_.Answers());
  Register(kShortLease);
  const EtcdEntry before = Entry();
  etcd_.Delete(before.key);
  EXPECT_TRUE(WaitUntil([&] {  // it may be back before we look
    const auto entries = etcd_.List(kPrefix);
    return entries.size() == 1 && entries[0].mod_revision > before.mod_revision;
  }));
  EXPECT_EQ(Entry().value, before.value);
}

TEST_F(EtcdRegistrationTest, PutsItsValueAgainWhenSomebodyWroteAnother) {
  ASSERT_TRUE(etcd_.Answers());
  Register(kShortLease);
  const EtcdEntry before = Entry();
  etcd_.Put(before.key, "{}");
  EXPECT_TRUE(WaitUntil([&] { return Entry().value == before.value; }));
}

TEST_F(EtcdRegistrationTest, GoesAtOnceWhenDeregistered) {
  ASSERT_TRUE(etcd_.Answers());
  Register();
  const EtcdEntry before = Entry();
  std::atomic<bool> done = false;
  directory_->DeregisterSelf(Seconds(60), [&] { done = true; });
  EXPECT_TRUE(WaitUntil([&] { return done.load(); }, kBackWithin));
  EXPECT_FALSE(Registered());
  EXPECT_EQ(etcd_.Revoke(before.lease).code(), StatusCode::kNotFound);
}

TEST_F(EtcdRegistrationTest, DeregistersInTimeWhenEtcdIsAway) {
  ASSERT_TRUE(etcd_.Answers());
  Register();
  Entry();
  etcd_.Kill();
  std::atomic<bool> done = false;
  directory_->DeregisterSelf(Seconds(1), [&] { done = true; });
  EXPECT_TRUE(WaitUntil([&] { return done.load(); }, kBackWithin));
}

TEST_F(EtcdRegistrationTest, LivesBesideAnotherServerOfTheSameName) {
  ASSERT_TRUE(etcd_.Answers());
  etcd_.Put(kPrefix, R"({"id":"","name":"dtmservice","endpoints":["grpc://other:36790"]})");
  Register();
  EXPECT_TRUE(WaitUntil([this] { return etcd_.List(kPrefix).size() == 2; }));
  std::atomic<bool> done = false;
  directory_->DeregisterSelf(Seconds(10), [&] { done = true; });
  EXPECT_TRUE(WaitUntil([&] { return done.load(); }));
  ASSERT_TRUE(Registered());
  EXPECT_EQ(Entry().key, kPrefix);
}

TEST_F(EtcdRegistrationTest, LogsInWithUserAndPassword) {
  ASSERT_TRUE(etcd_.Answers());
  const std::string root = EncodedField(1, "root");
  EXPECT_TRUE(etcd_.Call("/etcdserverpb.Auth/UserAdd", Cat(root, EncodedField(2, "p@ss"))).ok());
  EXPECT_TRUE(etcd_.Call("/etcdserverpb.Auth/RoleAdd", root).ok());
  EXPECT_TRUE(
      etcd_.Call("/etcdserverpb.Auth/UserGrantRole", Cat(root, EncodedField(2, "root"))).ok());
  EXPECT_TRUE(etcd_.Call("/etcdserverpb.Auth/AuthEnable", "").ok());
  Register(kShortLease, "root:p%40ss@");
  etcd_.LogIn("root", "p@ss");
  EXPECT_TRUE(WaitUntil([this] { return Registered(); }));
}

}  // namespace
}  // namespace troth
