#pragma once
// What every Store must do (store/store.h), as tests a backend joins by naming itself:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(MemoryBackend()), BackendName);
//
// A store that keeps what it was told joins DurableStoreContract too, one that a single process
// uses joins those with Exclusive in their names; what a backend does not join it must say with
// GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST. Times are whole seconds, because SQL stores keep
// no more. The tests are in store_contract_*.cc; link them into the backend's test program.

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
  // Closes the store and opens what it left behind. Only called in tests of durable stores.
  virtual void Reopen() = 0;
};

struct StoreBackend {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
  bool newest_first = true;  // false: it lists in any order
};
inline void PrintTo(const StoreBackend& backend, std::ostream* out) { *out << backend.name; }
inline std::string BackendName(const testing::TestParamInfo<StoreBackend>& info) {
  return info.param.name;
}

// A moment of the tests: `seconds` after some fixed time.
inline TimePoint At(double seconds) {
  return FromMicros(1'800'000'000'000'000 + static_cast<int64_t>(seconds * 1e6));
}

// A transaction as a test has it, and what changed since it was saved last.
struct Draft {
  Transaction txn{};
  uint64_t expected_version = 0;
  TransStatus expected_status = TransStatus::kPrepared;
  bool expected_leased = false;
  size_t branches_from = 0;
  size_t payloads_from = 0;
  std::vector<uint32_t> rows_changed{};
  bool fixed_changed = false;
};

// A submitted msg with one branch, created and due at the given moments. Its mark (MarkOf) is
// "<gid> v<version>", as in all drafts after it.
Draft Creation(std::string_view gid, TimePoint created = At(0), TimePoint due = At(10));
// The save after `last`, at the next version; nothing changes but the mark.
Draft After(const Draft& last);
Draft After(const Transaction& last);
// The save after `last` that ends the transaction, with all its branches.
Draft Ending(const Draft& last,
             TimePoint ended = At(1),
             TransStatus status = TransStatus::kSucceeded);
// Adds a branch, whose payload is `payload`, to what is saved.
void AddBranch(Draft& draft, std::string_view payload);

// A text of the transaction that every save may change.
std::string& MarkOf(Transaction& txn);
std::string MarkOf(const Transaction& txn);
// A text that only creations and merges change.
std::string& FixedOf(Transaction& txn);
std::string FixedOf(const Transaction& txn);
// The payloads of its branches, in order.
std::vector<std::string> PayloadsOf(const Transaction& txn);

class StoreContract : public testing::TestWithParam<StoreBackend> {
 protected:
  StoreContract() : backend_(GetParam().make()) {}

  Store& store() { return backend_->store(); }
  void Reopen() { backend_->Reopen(); }
  bool newest_first() const { return GetParam().newest_first; }

  SaveResult Commit(const Draft& draft);
  std::vector<SaveResult> Commit(const std::vector<Draft>& drafts);
  // Commits and expects all to be stored.
  void MustCommit(const std::vector<Draft>& drafts);
  // The transaction, which must exist.
  Transaction MustLoad(std::string_view gid);
  // What the record tells.
  Transaction Decode(const StoredRecord& record);
  bool Exists(std::string_view gid);
  std::vector<std::string> Claim(TimePoint now, TimePoint lease_until, size_t limit = 100);
  // Gids of all pages, in order; the newest first, also if the backend has no order.
  std::vector<std::string> ListAll(ListFilter filter = {});

 private:
  std::unique_ptr<StoreUnderTest> backend_;
};

// For backends that outlive their process.
class DurableStoreContract : public StoreContract {};
// For backends that one process uses: they know all due times, and keep texts of any bytes.
class ExclusiveStoreContract : public StoreContract {};
class DurableExclusiveStoreContract : public StoreContract {};

}  // namespace troth
