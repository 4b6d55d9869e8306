#pragma once
// What every Store must do (store/store.h), as tests a backend joins by naming itself:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(MemoryBackend()), BackendName);
//
// The tests are in store_contract_*.cc; link them into the backend's test program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace troth {

// One store of a backend, empty at first.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  // Closes the store and opens what it left behind. Only called in DurableStoreContract.
  virtual void Reopen() = 0;
};

struct StoreBackend {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};
inline void PrintTo(const StoreBackend& backend, std::ostream* out) { *out << backend.name; }
inline std::string BackendName(const testing::TestParamInfo<StoreBackend>& info) {
  return info.param.name;
}

// A moment of the tests: `seconds` after some fixed time.
inline TimePoint At(double seconds) {
  return FromMicros(1'800'000'000'000'000 + static_cast<int64_t>(seconds * 1e6));
}

// The first save of a transaction created and due at the given moments, with one page.
SaveRecord Creation(std::string_view gid, TimePoint created = At(0), TimePoint due = At(10));
// The save after `last`: next version, state "<gid> v<version>", no page.
SaveRecord After(const SaveRecord& last);
// The save after `last` that ends the transaction.
SaveRecord Ending(const SaveRecord& last,
                  TimePoint ended = At(1),
                  TransStatus status = TransStatus::kSucceeded);

class StoreContract : public testing::TestWithParam<StoreBackend> {
 protected:
  StoreContract() : backend_(GetParam().make()) {}

  Store& store() { return backend_->store(); }
  void Reopen() { backend_->Reopen(); }

  SaveResult Commit(const SaveRecord& save);
  std::vector<SaveResult> Commit(const std::vector<SaveRecord>& saves);
  // Commits and expects all to be stored.
  void MustCommit(const std::vector<SaveRecord>& saves);
  // The record, which must exist.
  StoredRecord MustLoad(std::string_view gid);
  bool Exists(std::string_view gid);
  std::vector<std::string> Claim(TimePoint now, TimePoint lease_until, size_t limit = 100);
  // Gids of all pages, in order.
  std::vector<std::string> ListAll(ListFilter filter = {});

 private:
  std::unique_ptr<StoreUnderTest> backend_;
};

// For backends that outlive their process.
class DurableStoreContract : public StoreContract {};

}  // namespace troth
