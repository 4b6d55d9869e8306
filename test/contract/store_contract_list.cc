// Listing and retention.

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreContract, ListsNewestFirstFinishedOrNot) {
  const Draft b = Creation("b", At(2));
  MustCommit({Creation("a", At(1)), b, Creation("c", At(3))});
  MustCommit({Ending(b)});
  EXPECT_THAT(ListAll(), ElementsAre("c", "b", "a"));
}

TEST_P(StoreContract, ListsWholeRecords) {
  const Draft b = Creation("b", At(2));
  MustCommit({Creation("a", At(1)), b});
  MustCommit({Ending(b)});
  const auto page = store().List({});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->records.size(), 2U);
  const size_t b_at = page->records[0].gid == "b" ? 0 : 1;
  const Transaction first = Decode(page->records[b_at]);
  EXPECT_EQ(FixedOf(first), "fixed of b");
  EXPECT_THAT(PayloadsOf(first), ElementsAre("payload 0 of b"));
  EXPECT_EQ(MarkOf(first), "b v2");
  EXPECT_EQ(first.version, 2U);
  EXPECT_EQ(MarkOf(Decode(page->records[1 - b_at])), "a v1");
}

TEST_P(StoreContract, ListsAnEmptyStore) { EXPECT_THAT(ListAll(), IsEmpty()); }

TEST_P(StoreContract, PagesWithoutGapsOrRepeats) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 25; ++i) {
    const Draft save = Creation(Cat("gid", i), At(i));
    MustCommit({save});
    if (i % 3 == 0) MustCommit({Ending(save, At(100))});
    newest_first.insert(newest_first.begin(), save.txn.gid);
  }
  for (const size_t limit : {1U, 4U, 5U, 25U, 100U}) {
    EXPECT_EQ(ListAll({.limit = limit}), newest_first) << "limit " << limit;
  }
}

TEST_P(StoreContract, PagesOnWhileOthersInsert) {
  for (int i = 0; i < 6; ++i) MustCommit({Creation(Cat("old", i), At(i))});
  const auto page = store().List({.limit = 3});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_FALSE(page->next_position.empty());
  std::vector<std::string> gids;
  for (const StoredRecord& record : page->records) gids.push_back(record.gid);
  for (int i = 0; i < 6; ++i) MustCommit({Creation(Cat("new", i), At(10 + i))});
  const auto rest = ListAll({.position = page->next_position, .limit = 3});
  gids.insert(gids.end(), rest.begin(), rest.end());
  if (!newest_first()) {  // the new ones may be anywhere
    std::erase_if(gids, [](const std::string& gid) { return gid.starts_with("new"); });
    std::ranges::sort(gids, std::greater());
  }
  EXPECT_THAT(gids, ElementsAre("old5", "old4", "old3", "old2", "old1", "old0"));
}

TEST_P(StoreContract, FiltersByStatusTypeAndCreation) {
  std::vector<Draft> saves;
  for (int i = 0; i < 10; ++i) {
    Draft save = Creation(Cat("gid", i), At(i));
    save.txn.type = i % 2 == 0 ? TransType::kMsg : TransType::kTcc;
    save.txn.status = i < 5 ? TransStatus::kSubmitted : TransStatus::kPrepared;
    saves.push_back(save);
  }
  MustCommit(saves);
  MustCommit({Ending(saves[3]), Ending(saves[6], At(11), TransStatus::kFailed)});

  EXPECT_THAT(ListAll({.limit = 2, .status = TransStatus::kSubmitted}),
              ElementsAre("gid4", "gid2", "gid1", "gid0"));
  EXPECT_THAT(ListAll({.status = TransStatus::kSucceeded}), ElementsAre("gid3"));
  EXPECT_THAT(ListAll({.status = TransStatus::kFailed}), ElementsAre("gid6"));
  EXPECT_THAT(ListAll({.status = TransStatus::kAborting}), IsEmpty());
  EXPECT_THAT(ListAll({.status = TransStatus::kPrepared, .type = TransType::kTcc}),
              ElementsAre("gid9", "gid7", "gid5"));
  EXPECT_THAT(ListAll({.limit = 1, .created_from = At(3), .created_to = At(6)}),
              ElementsAre("gid6", "gid5", "gid4", "gid3"));
  EXPECT_THAT(ListAll({.type = TransType::kMsg, .created_from = At(7)}), ElementsAre("gid8"));
  EXPECT_THAT(ListAll({.created_to = At(-1)}), IsEmpty());
  EXPECT_THAT(ListAll({.created_from = At(100)}), IsEmpty());
}

// Several servers, or a clock that jumped: creation times need not grow.
TEST_P(StoreContract, FiltersByCreationWhenTimesRunBackwards) {
  for (int i = 0; i < 10; ++i) MustCommit({Creation(Cat("gid", i), At(1000.0 - 100 * i))});
  EXPECT_THAT(ListAll({.created_from = At(300), .created_to = At(500)}),
              testing::UnorderedElementsAre("gid5", "gid6", "gid7"));
}

TEST_P(StoreContract, RefusesAPositionItNeverGave) {
  const auto page = store().List({.position = "no such position"});
  EXPECT_EQ(page.status().code(), StatusCode::kInvalidArgument);
}

TEST_P(StoreContract, PurgesOnlyWhatEndedBefore) {
  const Draft early = Creation("early", At(0)), late = Creation("late", At(0));
  const Draft failed = Creation("failed", At(0));
  MustCommit({early, late, failed, Creation("open", At(0))});
  MustCommit(
      {Ending(early, At(10)), Ending(late, At(20)), Ending(failed, At(10), TransStatus::kFailed)});
  const auto removed = store().Purge(At(20), 100);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(*removed, 2U);
  EXPECT_THAT(ListAll(), testing::UnorderedElementsAre("open", "late"));
  EXPECT_FALSE(Exists("early"));
  EXPECT_FALSE(Exists("failed"));
  EXPECT_TRUE(Exists("open"));
  EXPECT_THAT(Claim(At(10), At(100)), ElementsAre("open"));
}

TEST_P(StoreContract, PurgesInStepsOfTheLimit) {
  std::vector<Draft> saves;
  for (int i = 0; i < 10; ++i) saves.push_back(Creation(Cat("gid", i), At(i)));
  MustCommit(saves);
  for (Draft& save : saves) save = Ending(save, At(20));
  MustCommit(saves);
  for (const uint64_t expected : {4U, 4U, 2U, 0U}) {
    const auto removed = store().Purge(At(30), 4);
    ASSERT_TRUE(removed.ok()) << removed.status();
    EXPECT_EQ(*removed, expected);
  }
  EXPECT_THAT(ListAll(), IsEmpty());
}

TEST_P(StoreContract, ComesBackForWhatItHadToLeave) {
  const Draft slow = Creation("slow", At(0)), open = Creation("open", At(0));
  const Draft quick = Creation("quick", At(1));
  MustCommit({slow, open, quick, Ending(quick, At(2))});
  MustCommit({Ending(slow, At(50))});
  ASSERT_EQ(*store().Purge(At(10), 100), 1U);
  EXPECT_THAT(ListAll(), testing::UnorderedElementsAre("open", "slow"));
  MustCommit({Ending(open, At(60))});
  ASSERT_EQ(*store().Purge(At(55), 100), 1U);
  EXPECT_THAT(ListAll(), ElementsAre("open"));
  ASSERT_EQ(*store().Purge(At(100), 100), 1U);
  EXPECT_THAT(ListAll(), IsEmpty());
}

TEST_P(StoreContract, PurgesWhatWasUnfinishedAtTheLastPurge) {
  const Draft open = Creation("open", At(0)), quick = Creation("quick", At(1));
  MustCommit({open, quick, Ending(quick, At(2))});
  ASSERT_EQ(*store().Purge(At(10), 100), 1U);
  MustCommit({Ending(open, At(60))});
  ASSERT_EQ(*store().Purge(At(100), 100), 1U);
  EXPECT_FALSE(Exists("open"));
}

TEST_P(StoreContract, TakesAPurgedGidAnew) {
  Draft save = Creation("a");
  FixedOf(save.txn) = "old";
  AddBranch(save, "old payload");
  MustCommit({save, Ending(save, At(1))});
  ASSERT_EQ(*store().Purge(At(100), 100), 1U);
  MustCommit({Creation("a", At(200))});
  EXPECT_EQ(FixedOf(MustLoad("a")), "fixed of a");
  EXPECT_THAT(PayloadsOf(MustLoad("a")), ElementsAre("payload 0 of a"));
}

}  // namespace
}  // namespace troth
