#include <string>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "contract/store_contract_suite.h"
#include "store/postgres/postgres_testing.h"

namespace troth {
namespace {

// One server for all tests, each in a schema of its own. TROTH_TEST_POSTGRES may name one that runs
// already.
class Server final : public testing::Environment {
 public:
  void SetUp() override {
    // Nobody kills it here, and every test makes tables.
    auto started = postgres::TestServer::UseOrStart("fsync = off");
    ASSERT_TRUE(started.ok()) << started.status();
    instance = *std::move(started);
  }
  void TearDown() override { instance.reset(); }

  static std::unique_ptr<postgres::TestServer> instance;
};
std::unique_ptr<postgres::TestServer> Server::instance;

const auto* const kServer = testing::AddGlobalTestEnvironment(new Server);

class PostgresUnderTest final : public StoreUnderTest {
 public:
  explicit PostgresUnderTest(const PostgresOptions& changes) {
    TROTH_CHECK(Server::instance != nullptr);
    options_ = Server::instance->NewSchema();
    options_.batch_max = changes.batch_max;
    options_.list_scan_max = changes.list_scan_max;
    Open();
  }

  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }

 private:
  void Open() {
    auto opened = OpenPostgresStore(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  PostgresOptions options_;
  std::unique_ptr<Store> store_;
};

StoreBackend Postgres(std::string name, const PostgresOptions& options) {
  return {std::move(name), [options] { return std::make_unique<PostgresUnderTest>(options); }};
}

const auto kBackends = testing::Values(
    Postgres("Store", {}), Postgres("StoreWithSmallSteps", {.batch_max = 3, .list_scan_max = 2}));
INSTANTIATE_TEST_SUITE_P(Postgres, StoreContract, kBackends, BackendName);
INSTANTIATE_TEST_SUITE_P(Postgres, DurableStoreContract, kBackends, BackendName);
// Other servers use it too, and texts are UTF-8.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExclusiveStoreContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableExclusiveStoreContract);

}  // namespace
}  // namespace troth
