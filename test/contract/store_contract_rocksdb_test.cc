#include <filesystem>
#include <string>
#include <utility>

#include "base/random.h"
#include "contract/store_contract_suite.h"
#include "store/rocksdb_store.h"

namespace troth {
namespace {

class RocksDbUnderTest final : public StoreUnderTest {
 public:
  explicit RocksDbUnderTest(size_t list_scan_max) {
    Random random = Random::FromDevice();
    options_.path = std::filesystem::temp_directory_path() / ("troth-store-" + NewUuid(random));
    options_.list_scan_max = list_scan_max;
    Open();
  }
  ~RocksDbUnderTest() override {
    store_.reset();
    std::filesystem::remove_all(options_.path);
  }

  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }

 private:
  void Open() {
    auto opened = OpenRocksDbStore(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  RocksDbOptions options_;
  std::unique_ptr<Store> store_;
};

StoreBackend RocksDb(std::string name, size_t list_scan_max) {
  return {std::move(name),
          [list_scan_max] { return std::make_unique<RocksDbUnderTest>(list_scan_max); }};
}

// With short scans a filter needs many pages.
const auto kBackends = testing::Values(RocksDb("Store", RocksDbOptions().list_scan_max),
                                       RocksDb("StoreWithShortScans", 2));
INSTANTIATE_TEST_SUITE_P(RocksDb, StoreContract, kBackends, BackendName);
INSTANTIATE_TEST_SUITE_P(RocksDb, DurableStoreContract, kBackends, BackendName);
INSTANTIATE_TEST_SUITE_P(RocksDb, ExclusiveStoreContract, kBackends, BackendName);
INSTANTIATE_TEST_SUITE_P(RocksDb, DurableExclusiveStoreContract, kBackends, BackendName);

}  // namespace
}  // namespace troth
