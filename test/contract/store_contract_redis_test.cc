#include "contract/store_contract_suite.h"
#include "store/redis/redis_store.h"
#include "store/redis/redis_testing.h"

namespace troth {
namespace {

// One server for all tests, emptied by each.
redis::RedisServer& Server() {
  static redis::RedisServer server;
  return server;
}

class RedisUnderTest final : public StoreUnderTest {
 public:
  RedisUnderTest() {
    Server().Ask("FLUSHALL");
    Reopen();
  }

  Store& store() override { return *store_; }
  void Reopen() override {
    auto opened = OpenRedisStore({.servers = {Server().endpoint()}});
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

 private:
  std::unique_ptr<Store> store_;
};

const auto kBackend = testing::Values(
    StoreBackend{.name = "Store", .make = std::make_unique<RedisUnderTest>, .newest_first = false});
INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, kBackend, BackendName);
INSTANTIATE_TEST_SUITE_P(Redis, DurableStoreContract, kBackend, BackendName);
// Servers share it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExclusiveStoreContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableExclusiveStoreContract);

}  // namespace
}  // namespace troth
