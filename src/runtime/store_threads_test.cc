// StoreWriter and StoreReaders: what waits together is committed together, and queues are bounded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/synchronization/notification.h"
#include "runtime/store_readers.h"
#include "runtime/store_writer.h"
#include "store/memory_store.h"

namespace troth {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::SizeIs;

SaveRecord Creation(std::string gid) {
  SaveRecord record;
  record.gid = std::move(gid);
  record.version = 1;
  record.fixed = "fixed";
  record.state = "state";
  return record;
}

// Holds the first Commit until it is let go, so that later saves gather.
class GatedStore final : public Store {
 public:
  absl::Notification entered;
  absl::Notification let_go;

  explicit GatedStore(CommitShape shape = {}) : shape_(shape) {}

  std::vector<size_t> batches() {
    absl::MutexLock lock(&mutex_);
    return batches_;
  }
  CommitShape commit_shape() const override { return shape_; }
  std::vector<SaveOutcome> Commit(std::span<const SaveRecord> saves) override {
    if (Begin(saves.size()) == 1) {
      entered.Notify();
      let_go.WaitForNotification();
    }
    return memory_.Commit(saves);
  }
  StatusOr<std::optional<StoredRecord>> Load(std::string_view gid) override {
    return memory_.Load(gid);
  }
  StatusOr<std::vector<StoredRecord>> ClaimDue(TimePoint now,
                                               TimePoint until,
                                               size_t limit) override {
    return memory_.ClaimDue(now, until, limit);
  }
  std::optional<TimePoint> NextDue() override { return memory_.NextDue(); }
  StatusOr<ListPage> List(const ListFilter& filter) override { return memory_.List(filter); }
  StatusOr<ResetCount> ResetDue(TimePoint now, TimePoint after, size_t limit) override {
    return memory_.ResetDue(now, after, limit);
  }
  StatusOr<uint64_t> Purge(TimePoint before, size_t limit) override {
    return memory_.Purge(before, limit);
  }
  StatusOr<std::vector<KvRecord>> FindKv(std::string_view category, std::string_view key) override {
    return memory_.FindKv(category, key);
  }
  StatusOr<std::vector<KvRecord>> ScanKv(std::string_view category,
                                         std::string_view position,
                                         size_t limit,
                                         std::string* next) override {
    return memory_.ScanKv(category, position, limit, next);
  }
  Status CreateKv(const KvRecord& record) override { return memory_.CreateKv(record); }
  Status UpdateKv(const KvRecord& record) override { return memory_.UpdateKv(record); }
  Status DeleteKv(std::string_view category, std::string_view key) override {
    return memory_.DeleteKv(category, key);
  }
  uint64_t Unfinished() override { return memory_.Unfinished(); }
  Status Health() override { return memory_.Health(); }

 private:
  // How many there have been, with this one.
  size_t Begin(size_t saves) {
    absl::MutexLock lock(&mutex_);
    batches_.push_back(saves);
    return batches_.size();
  }

  const CommitShape shape_;
  MemoryStore memory_;
  absl::Mutex mutex_;
  std::vector<size_t> batches_ ABSL_GUARDED_BY(mutex_);
};

// What the writer delivered, by shard.
class Deliveries {
 public:
  void Add(size_t shard, std::vector<SaveDone> results) {
    absl::MutexLock lock(&mutex_);
    for (SaveDone& result : results) by_shard_[shard].push_back(std::move(result));
  }
  // Hands what a writer delivers to this.
  StoreWriter::Deliver Taker() {
    return [this](size_t shard, std::vector<SaveDone> results) { Add(shard, std::move(results)); };
  }
  // Of the shard, once there are `count`; those there are when they do not come.
  std::vector<SaveDone> Await(size_t shard, size_t count) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return by_shard_[shard].size() >= count;
    };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(30));
    return by_shard_[shard];
  }
  std::vector<SaveDone> Of(size_t shard) {
    absl::MutexLock lock(&mutex_);
    return by_shard_[shard];
  }

 private:
  absl::Mutex mutex_;
  std::map<size_t, std::vector<SaveDone>> by_shard_;
};

const auto kNobody = [] { return size_t{0}; };

TEST(GatherTime, IsAThirdOfACommitWhileItPays) {
  GatherTime gather;
  for (int i = 0; i < 100; ++i) gather.OnCommit(std::chrono::microseconds(600));
  EXPECT_GT(gather.max(), std::chrono::microseconds(190));
  EXPECT_LE(gather.max(), std::chrono::microseconds(200));
  for (int i = 0; i < 10; ++i) gather.OnGathered(false);
  gather.OnCommit(std::chrono::microseconds(600));
  EXPECT_LE(gather.max(), std::chrono::microseconds(13));
  for (int i = 0; i < 10; ++i) gather.OnGathered(true);
  gather.OnCommit(std::chrono::microseconds(600));
  EXPECT_GT(gather.max(), std::chrono::microseconds(190));
}

TEST(GatherTime, HasALongestWait) {
  GatherTime gather;
  for (int i = 0; i < 100; ++i) gather.OnCommit(std::chrono::seconds(1));
  EXPECT_EQ(gather.max(), std::chrono::microseconds(2000));
}

TEST(StoreWriter, CommitsTogetherWhatGatheredDuringACommit) {
  GatedStore store;
  Deliveries deliveries;
  {
    StoreWriter writer(store, 2, deliveries.Taker(), kNobody);
    std::vector<PendingSave> saves{{.id = 1, .record = Creation("first")}};
    writer.Enqueue(0, saves);
    EXPECT_THAT(saves, SizeIs(0));
    store.entered.WaitForNotification();
    for (TxnId id = 2; id <= 11; ++id) {
      saves.push_back({.id = id, .record = Creation("gid" + std::to_string(id))});
      writer.Enqueue(id % 2, saves);
    }
    store.let_go.Notify();
  }
  EXPECT_THAT(store.batches(), ::testing::ElementsAre(1u, 10u));
  EXPECT_THAT(deliveries.Of(0), SizeIs(6));
  EXPECT_THAT(deliveries.Of(1), SizeIs(5));
  EXPECT_THAT(deliveries.Of(0), Each(Field(&SaveDone::result, SaveResult::kStored)));
}

TEST(StoreWriter, CommitsTheNextBatchWhileTheStoreIsAtWorkOnOne) {
  GatedStore store({.at_once = 2});
  Deliveries deliveries;
  {
    StoreWriter writer(store, 1, deliveries.Taker(), kNobody);
    std::vector<PendingSave> saves{{.id = 1, .record = Creation("first")}};
    writer.Enqueue(0, saves);
    store.entered.WaitForNotification();
    saves.push_back({.id = 2, .record = Creation("second")});
    writer.Enqueue(0, saves);
    EXPECT_THAT(deliveries.Await(0, 1), ::testing::ElementsAre(Field(&SaveDone::id, 2u)));
    store.let_go.Notify();
  }
  EXPECT_THAT(deliveries.Of(0), SizeIs(2));
}

TEST(StoreWriter, KeepsToTheBatchThatTheStoreWants) {
  GatedStore store({.saves_max = 3});
  Deliveries deliveries;
  {
    StoreWriter writer(store, 1, deliveries.Taker(), kNobody);
    std::vector<PendingSave> saves;
    for (TxnId id = 1; id <= 7; ++id) {
      saves.push_back({.id = id, .record = Creation("gid" + std::to_string(id))});
    }
    store.let_go.Notify();
    writer.Enqueue(0, saves);
  }
  EXPECT_THAT(store.batches(), ::testing::ElementsAre(3u, 3u, 1u));
  EXPECT_THAT(deliveries.Of(0), SizeIs(7));
}

TEST(StoreWriter, BoundsABatch) {
  GatedStore store;
  Deliveries deliveries;
  {
    StoreWriter writer(store,
                       1,
                       deliveries.Taker(),
                       kNobody,
                       /*batch_max=*/4);
    std::vector<PendingSave> saves{{.id = 1, .record = Creation("first")}};
    writer.Enqueue(0, saves);
    store.entered.WaitForNotification();
    for (TxnId id = 2; id <= 11; ++id) {
      saves.push_back({.id = id, .record = Creation("gid" + std::to_string(id))});
    }
    writer.Enqueue(0, saves);
    store.let_go.Notify();
  }
  EXPECT_THAT(store.batches(), ::testing::ElementsAre(1u, 4u, 4u, 2u));
  EXPECT_THAT(deliveries.Of(0), SizeIs(11));
}

TEST(StoreWriter, ReportsAConflictToItsShardOnly) {
  MemoryStore store;
  Deliveries deliveries;
  std::vector<std::string> stored;
  {
    StoreWriter writer(
        store, 1, deliveries.Taker(), kNobody, kBatchMax, [&stored](std::string_view gid) {
          stored.emplace_back(gid);
        });
    std::vector<PendingSave> saves{{.id = 1, .record = Creation("g")},
                                   {.id = 2, .record = Creation("g")}};
    writer.Enqueue(0, saves);
  }
  const std::vector<SaveDone> results = deliveries.Of(0);
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].result, SaveResult::kStored);
  EXPECT_EQ(results[1].result, SaveResult::kConflict);
  EXPECT_EQ(results[1].id, 2u);
  EXPECT_THAT(stored, ::testing::ElementsAre("g"));
}

TEST(StoreReaders, RefusesOptionalJobsPastItsBoundButNeverOthers) {
  absl::Notification let_go;
  absl::Notification started;
  int ran = 0;
  {
    StoreReaders readers(/*threads=*/1, /*optional_max=*/2);
    readers.Run([&] {
      started.Notify();
      let_go.WaitForNotification();
    });
    started.WaitForNotification();
    EXPECT_TRUE(readers.TryRun([&] { ++ran; }));
    EXPECT_TRUE(readers.TryRun([&] { ++ran; }));
    EXPECT_FALSE(readers.TryRun([&] { ++ran; }));
    readers.Run([&] { ++ran; });
    let_go.Notify();
  }
  EXPECT_EQ(ran, 3);
}

}  // namespace
}  // namespace troth
