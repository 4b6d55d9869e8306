#include "contract/store_contract_suite.h"
#include "store/memory_store.h"

namespace troth {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return store_; }
  void Reopen() override { FAIL() << "a memory store forgets"; }

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory,
                         StoreContract,
                         testing::Values(StoreBackend{"Store", std::make_unique<MemoryUnderTest>}),
                         BackendName);
// It is not durable.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableStoreContract);

}  // namespace
}  // namespace troth
