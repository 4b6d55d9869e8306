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

const auto kBackend = testing::Values(StoreBackend{"Store", std::make_unique<MemoryUnderTest>});
INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, kBackend, BackendName);
INSTANTIATE_TEST_SUITE_P(Memory, ExclusiveStoreContract, kBackend, BackendName);
// It is not durable.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableStoreContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableExclusiveStoreContract);

}  // namespace
}  // namespace troth
