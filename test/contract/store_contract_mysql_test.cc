#include <string>
#include <utility>

#include "base/text.h"
#include "contract/store_contract_suite.h"
#include "store/mysql/mysql_store.h"
#include "store/mysql/mysql_testing.h"

namespace troth {
namespace {

using mysql::TestServer;

// One server and one database for all tests, which empty its tables. Nobody pulls its plug, so that
// TROTH_TEST_MYSQL may name one that runs already.
TestServer& Server() {
  static const std::unique_ptr<TestServer> server = [] {
    // MySQL 5.7 takes statements of 4 MiB as a rule, less than the largest payload.
    auto started = TestServer::UseOrStart({"--innodb-flush-log-at-trx-commit=0",
                                           "--innodb-flush-method=nosync",
                                           "--max-allowed-packet=16M"});
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *std::move(started) : nullptr;
  }();
  return *server;
}

class MysqlUnderTest final : public StoreUnderTest {
 public:
  explicit MysqlUnderTest(size_t open_conns_max) {
    options_ = Server().StoreOptions("troth_contract");
    options_.open_conns_max = open_conns_max;
    Empty();
    Open();
  }

  Store& store() override { return *store_; }
  void Reopen() override { Open(); }

 private:
  // The tables are made once, as wide as clients' payloads are large.
  void Empty() {
    const auto session = OpenMysqlSession(options_);
    ASSERT_TRUE(session.ok()) << session.status();
    static const Status made = [&] {
      const Status created = sql::EnsureTables(**session);
      return created.ok() ? sql::WidenTables(**session).status() : created;
    }();
    ASSERT_TRUE(made.ok()) << made;
    for (const char* const table : {"trans_global", "trans_branch_op", "kv"}) {
      const Status emptied = (*session)->Execute(Cat("DELETE FROM ", table));
      ASSERT_TRUE(emptied.ok()) << emptied;
    }
  }
  void Open() {
    store_.reset();
    auto opened = OpenMysqlStore(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  MysqlOptions options_;
  std::unique_ptr<Store> store_;
};

StoreBackend Mysql(std::string name, size_t open_conns_max) {
  return {std::move(name),
          [open_conns_max] { return std::make_unique<MysqlUnderTest>(open_conns_max); }};
}

// With one connection everything waits for its turn.
const auto kBackends = testing::Values(Mysql("Store", 0), Mysql("StoreWithOneConnection", 1));
INSTANTIATE_TEST_SUITE_P(Mysql, StoreContract, kBackends, BackendName);
INSTANTIATE_TEST_SUITE_P(Mysql, DurableStoreContract, kBackends, BackendName);
// Other servers may use the database.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExclusiveStoreContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableExclusiveStoreContract);

}  // namespace
}  // namespace troth
