// Disks that fill up, writes and syncs that fail while the store is open.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "store/rocksdb_store.h"
#include "store/rocksdb_test_util.h"

namespace troth {
namespace {

using testing::HasSubstr;

class FailingDisk : public testing::Test {
 protected:
  FailingDisk() { Reopen(); }

  void Reopen() {
    store_.reset();
    auto store = OpenRocksDbStore({.path = scratch_.path(),
                                   .recovery_interval = std::chrono::milliseconds(20),
                                   .env = disk_.env()});
    EXPECT_TRUE(store.ok()) << store.status();
    if (store.ok()) store_ = *std::move(store);
  }
  // What a disk that works again makes of it, in a process started anew.
  void RestartOnAGoodDisk() {
    faults().log_writes_fail = faults().log_syncs_fail = false;
    faults().free_bytes = DiskFaults::kPlenty;
    Reopen();
  }

  Store& store() { return *store_; }
  DiskFaults& faults() { return disk_.faults; }

  SaveOutcome Commit(const SaveRecord& save) { return store_->Commit({&save, 1})[0]; }
  bool Exists(std::string_view gid) {
    const auto record = store_->Load(gid);
    EXPECT_TRUE(record.ok()) << record.status();
    return record.ok() && record->has_value();
  }
  // Commits until a save fails; returns how many were acknowledged.
  int CommitUntilFailure(SaveOutcome* failed) {
    for (int i = 0;; ++i) {
      SaveRecord save = MakeCreation(Cat("big", i));
      save.page.assign(64 << 10, 'p');
      *failed = Commit(save);
      if (failed->result != SaveResult::kStored) return i;
    }
  }
  // False when saves are not taken again in good time.
  bool WaitUntilHealthy() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!store_->Health().ok()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  void ExpectNothingIsAcknowledged();

 private:
  const ScratchDirectory scratch_;
  FaultyDisk disk_;
  std::unique_ptr<Store> store_;
};

TEST_F(FailingDisk, WhenFullStopsAcknowledgingAndGoesOnWhenThereIsRoom) {
  ASSERT_EQ(Commit(MakeCreation("early")).result, SaveResult::kStored);
  faults().free_bytes = 1 << 20;
  SaveOutcome failed;
  const int acknowledged = CommitUntilFailure(&failed);
  EXPECT_EQ(failed.result, SaveResult::kUnknown);
  EXPECT_THAT(failed.error, HasSubstr("is full: free space there"));
  EXPECT_EQ(store().Health().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Commit(MakeCreation("meanwhile")).result, SaveResult::kUnknown);
  EXPECT_TRUE(Exists("early"));

  faults().free_bytes = DiskFaults::kPlenty;
  ASSERT_TRUE(WaitUntilHealthy()) << store().Health();
  EXPECT_EQ(Commit(MakeEnding("early")).result, SaveResult::kStored);
  EXPECT_EQ(Commit(MakeCreation("late")).result, SaveResult::kStored);
  EXPECT_FALSE(Exists(Cat("big", acknowledged)));

  Reopen();
  for (int i = 0; i < acknowledged; ++i) EXPECT_TRUE(Exists(Cat("big", i))) << i;
  EXPECT_TRUE(Exists("late"));
  EXPECT_EQ(store().Unfinished(), static_cast<uint64_t>(acknowledged) + 1);
}

TEST_F(FailingDisk, WhenFullKeepsWhatWasAcknowledgedThroughARestart) {
  faults().free_bytes = 1 << 20;
  SaveOutcome failed;
  const int acknowledged = CommitUntilFailure(&failed);
  RestartOnAGoodDisk();
  for (int i = 0; i < acknowledged; ++i) EXPECT_TRUE(Exists(Cat("big", i))) << i;
  EXPECT_EQ(Commit(MakeCreation("late")).result, SaveResult::kStored);
}

void FailingDisk::ExpectNothingIsAcknowledged() {
  const std::vector<SaveRecord> batch = {MakeCreation("a"), MakeCreation("b"), MakeCreation("a")};
  for (const SaveOutcome& outcome : store().Commit(batch)) {
    EXPECT_EQ(outcome.result, SaveResult::kUnknown);
    EXPECT_THAT(outcome.error, HasSubstr("start the server again"));
  }
  EXPECT_EQ(Commit(MakeEnding("before")).result, SaveResult::kUnknown);
  EXPECT_EQ(store().Health().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(store().Purge(TimePoint::max(), 1).ok());
  EXPECT_FALSE(store().ResetDue(TimePoint(), TimePoint(), 1).ok());
  EXPECT_FALSE(store().CreateKv({.category = "topics", .key = "t"}).ok());
  EXPECT_TRUE(Exists("before"));
}

TEST_F(FailingDisk, AFailedSyncIsFinalUntilTheStoreIsOpenedAgain) {
  ASSERT_EQ(Commit(MakeCreation("before")).result, SaveResult::kStored);
  faults().log_syncs_fail = true;
  ExpectNothingIsAcknowledged();
  faults().log_syncs_fail = false;  // the next sync would succeed, and prove nothing
  ExpectNothingIsAcknowledged();

  RestartOnAGoodDisk();
  EXPECT_TRUE(Exists("before"));
  EXPECT_EQ(Commit(MakeEnding("before")).result, SaveResult::kStored);
}

TEST_F(FailingDisk, AFailedWriteIsFinalUntilTheStoreIsOpenedAgain) {
  ASSERT_EQ(Commit(MakeCreation("before")).result, SaveResult::kStored);
  faults().log_writes_fail = true;
  ExpectNothingIsAcknowledged();
  faults().log_writes_fail = false;
  ExpectNothingIsAcknowledged();

  RestartOnAGoodDisk();
  EXPECT_TRUE(Exists("before"));
  EXPECT_EQ(Commit(MakeEnding("before")).result, SaveResult::kStored);
}

}  // namespace
}  // namespace troth
