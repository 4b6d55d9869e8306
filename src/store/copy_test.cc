#include "store/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "store/memory_store.h"

namespace troth {
namespace {

using testing::HasSubstr;

TimePoint At(int64_t seconds) { return FromMicros((1'800'000'000 + seconds) * 1'000'000); }

Transaction Msg(std::string_view gid, int64_t created, TransStatus status) {
  Transaction txn;
  txn.gid = gid;
  txn.status = status;
  txn.version = 3;
  txn.pages = 1;
  txn.create_time = txn.update_time = At(created);
  txn.next_cron_time = At(created + 10);
  txn.leased = true;
  txn.branches = {{.branch_id = "01",
                   .status = IsFinal(status) ? BranchStatus::kSucceeded : BranchStatus::kPrepared,
                   .url = "http://a",
                   .payload = 0,
                   .create_time = At(created),
                   .update_time = At(created)}};
  txn.payloads = {Cat("payload of ", gid)};
  return txn;
}

void Put(Store& store, const Transaction& txn) {
  const SaveRecord save =
      store.Encode({.txn = &txn, .expected_version = 0, .fixed_part_changed = true});
  ASSERT_EQ(store.Commit({&save, 1})[0].result, SaveResult::kStored);
}

class CopyTest : public testing::Test {
 protected:
  static constexpr int kTransactions = 600;  // some pages

  CopyTest() {
    for (int i = 0; i < kTransactions; ++i) {
      Put(from, Msg(Cat("gid", i), i, i % 2 ? TransStatus::kSucceeded : TransStatus::kSubmitted));
    }
    EXPECT_TRUE(from.CreateKv({.category = "topics", .key = "t", .value = "[]"}).ok());
  }

  StatusOr<CopyCounts> Copy() {
    return CopyStore(from, to, [](uint64_t) {});
  }

  MemoryStore from;
  MemoryStore to;
};

TEST_F(CopyTest, BringsEverythingInTheOrderOfCreation) {
  const auto counts = Copy();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->transactions, uint64_t{kTransactions});
  EXPECT_EQ(counts->present, 0U);
  EXPECT_EQ(counts->named_values, 1U);
  const auto newest = to.List({.limit = 2});
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest->records[0].gid, Cat("gid", kTransactions - 1));
  EXPECT_EQ(newest->records[1].gid, Cat("gid", kTransactions - 2));
  EXPECT_EQ(to.Unfinished(), uint64_t{kTransactions / 2});
  EXPECT_EQ(to.FindKv("topics", "t")->size(), 1U);
}

TEST_F(CopyTest, CanBeRepeated) {
  ASSERT_TRUE(Copy().ok());
  const auto again = Copy();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->present, uint64_t{kTransactions});
}

TEST_F(CopyTest, RefusesAGidThatIsSomethingElseInTheTarget) {
  Put(to, Msg("gid7", 7, TransStatus::kFailed));
  const auto counts = Copy();
  EXPECT_EQ(counts.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(counts.status())), HasSubstr("transaction gid7 differs"));
}

TEST_F(CopyTest, KnowsAnEmptyStore) {
  EXPECT_FALSE(*IsEmptyStore(from));
  EXPECT_TRUE(*IsEmptyStore(to));
  ASSERT_TRUE(to.CreateKv({.category = "topics", .key = "t", .value = "[]"}).ok());
  EXPECT_FALSE(*IsEmptyStore(to));
}

TEST(Difference, LooksAtWhatMattersOnly) {
  const Transaction a = Msg("a", 0, TransStatus::kSubmitted);
  Transaction b = a;
  b.version = 9;
  b.owner = "somebody";
  b.leased = false;
  b.create_time += std::chrono::milliseconds(700);
  EXPECT_EQ(Difference(a, b), "");
  b.payloads[0] = "other";
  EXPECT_EQ(Difference(a, b), "branch 01 action");
  b = a;
  b.status = TransStatus::kAborting;
  EXPECT_EQ(Difference(a, b), "status");
  b = a;
  b.next_cron_time += Seconds(5);
  EXPECT_EQ(Difference(a, b), "next_cron_time");
}

}  // namespace
}  // namespace troth
