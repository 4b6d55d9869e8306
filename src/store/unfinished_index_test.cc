#include "store/unfinished_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace troth {
namespace {

using testing::ElementsAre;

TimePoint At(int64_t seconds) { return TimePoint(Seconds(seconds)); }

std::vector<std::string> Gids(const std::vector<UnfinishedIndex::Entry*>& entries) {
  std::vector<std::string> gids;
  for (const UnfinishedIndex::Entry* entry : entries) gids.push_back(entry->gid);
  return gids;
}

TEST(UnfinishedIndex, FindsByGid) {
  UnfinishedIndex index;
  index.Add({.gid = "a", .sequence = 1});
  EXPECT_EQ(index.Find("a")->sequence, 1U);
  EXPECT_EQ(index.Find("b"), nullptr);
  index.Remove(index.Find("a"));
  EXPECT_EQ(index.Find("a"), nullptr);
  EXPECT_EQ(index.size(), 0U);
  EXPECT_EQ(index.NextDue(), std::nullopt);
}

TEST(UnfinishedIndex, ClaimsByDueTimeThenByAge) {
  UnfinishedIndex index;
  index.Add({.gid = "b", .sequence = 2, .due = At(1)});
  index.Add({.gid = "a", .sequence = 1, .due = At(1)});
  index.Add({.gid = "first", .sequence = 3, .due = At(0)});
  index.Add({.gid = "later", .sequence = 4, .due = At(9)});
  EXPECT_THAT(Gids(index.Claim(At(1), At(5), 2)), ElementsAre("first", "a"));
  EXPECT_THAT(Gids(index.Claim(At(1), At(5), 2)), ElementsAre("b"));
  EXPECT_EQ(index.NextDue(), At(5));
}

TEST(UnfinishedIndex, FindsWhatIsDueLater) {
  UnfinishedIndex index;
  index.Add({.gid = "a", .sequence = 1, .due = At(5)});
  index.Add({.gid = "b", .sequence = 2, .due = At(6)});
  index.Add({.gid = "c", .sequence = 3, .due = At(7)});
  EXPECT_THAT(Gids(index.DueLaterThan(At(5), 1)), ElementsAre("b"));
  EXPECT_TRUE(index.AnyDueLaterThan(At(6)));
  EXPECT_FALSE(index.AnyDueLaterThan(At(7)));
}

TEST(UnfinishedIndex, KeepsEntriesInPlaceWhileItGrows) {
  UnfinishedIndex index;
  UnfinishedIndex::Entry* const first = index.Add({.gid = "first", .sequence = 1, .due = At(1)});
  for (uint64_t i = 2; i < 5000; ++i) {
    index.Add({.gid = Cat("gid", i), .sequence = i, .due = At(static_cast<int64_t>(i))});
  }
  EXPECT_EQ(index.Find("first"), first);
  index.SetDue(first, At(10000));
  EXPECT_EQ(index.NextDue(), At(2));
}

TEST(UnfinishedIndex, ListsTheNewestBelowASequence) {
  UnfinishedIndex index;
  index.Add({.gid = "a", .sequence = 1, .status = TransStatus::kPrepared});
  index.Add({.gid = "b", .sequence = 2, .status = TransStatus::kSubmitted});
  index.Add({.gid = "c", .sequence = 3, .status = TransStatus::kPrepared});
  index.Add({.gid = "d", .sequence = 4, .status = TransStatus::kSubmitted});
  EXPECT_THAT(index.NewestBelow(4, std::nullopt, 10), ElementsAre(3, 2, 1));
  EXPECT_THAT(index.NewestBelow(UINT64_MAX, std::nullopt, 2), ElementsAre(4, 3));
  EXPECT_THAT(index.NewestBelow(UINT64_MAX, TransStatus::kPrepared, 10), ElementsAre(3, 1));
  index.SetStatus(index.Find("c"), TransStatus::kAborting);
  index.Remove(index.Find("b"));
  EXPECT_THAT(index.NewestBelow(UINT64_MAX, TransStatus::kPrepared, 10), ElementsAre(1));
  EXPECT_THAT(index.NewestBelow(UINT64_MAX, TransStatus::kAborting, 10), ElementsAre(3));
  EXPECT_THAT(index.NewestBelow(UINT64_MAX, std::nullopt, 10), ElementsAre(4, 3, 1));
}

TEST(UnfinishedIndex, TellsWhetherAnyIsBetween) {
  UnfinishedIndex index;
  index.Add({.gid = "a", .sequence = 5, .status = TransStatus::kAborting});
  EXPECT_TRUE(index.AnyBetween(4, 6));
  EXPECT_FALSE(index.AnyBetween(5, 6));
  EXPECT_FALSE(index.AnyBetween(4, 5));
  EXPECT_EQ(index.Oldest(), 5U);
  index.Remove(index.Find("a"));
  EXPECT_EQ(index.Oldest(), std::nullopt);
}

}  // namespace
}  // namespace troth
