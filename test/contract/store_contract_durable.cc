// What is there after the store was closed and opened again.

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;

TEST_P(DurableStoreContract, KeepsRecordsWhenOpenedAgain) {
  SaveRecord finished = Creation("finished", At(1));
  const SaveRecord open = Creation("open", At(2));
  SaveRecord paged = After(open);
  paged.page = "page 1";
  paged.page_number = 1;
  paged.fixed = "merged";
  MustCommit({finished, open, paged});
  MustCommit({Ending(finished)});
  Reopen();

  EXPECT_EQ(MustLoad("finished").state, "finished v2");
  const StoredRecord record = MustLoad("open");
  EXPECT_EQ(record.version, 2U);
  EXPECT_EQ(record.fixed, "merged");
  EXPECT_THAT(record.pages, ElementsAre("page 0 of open", "page 1"));
  EXPECT_THAT(ListAll(), ElementsAre("open", "finished"));
  EXPECT_EQ(store().Unfinished(), 1U);
}

TEST_P(DurableStoreContract, ChecksVersionsAndDuplicatesWhenOpenedAgain) {
  const SaveRecord finished = Creation("finished"), open = Creation("open");
  MustCommit({finished, open, Ending(finished)});
  Reopen();
  EXPECT_EQ(Commit(Creation("finished")), SaveResult::kConflict);
  EXPECT_EQ(Commit(Creation("open")), SaveResult::kConflict);
  EXPECT_EQ(Commit(After(After(open))), SaveResult::kConflict);
  MustCommit({After(open)});
  MustCommit({Ending(After(open))});
  EXPECT_EQ(store().Unfinished(), 0U);
}

TEST_P(DurableStoreContract, ListsWhatCameLaterBeforeWhatWasThere) {
  MustCommit({Creation("a", At(5))});
  Reopen();
  MustCommit({Creation("b", At(4)), Creation("c", At(6))});
  EXPECT_THAT(ListAll(), ElementsAre("c", "b", "a"));
  EXPECT_THAT(ListAll({.created_to = At(4)}), ElementsAre("b"));
}

TEST_P(DurableStoreContract, KeepsDueTimesOfWhatWaits) {
  MustCommit({Creation("a", At(0), At(30)), Creation("b", At(0), At(20))});
  Reopen();
  EXPECT_EQ(store().NextDue(), At(20));
  EXPECT_THAT(Claim(At(19), At(100)), ElementsAre());
  EXPECT_THAT(Claim(At(30), At(100)), ElementsAre("b", "a"));
}

TEST_P(DurableStoreContract, HandsOutAtOnceWhatItsOnlyServerWasWorkingOn) {
  SaveRecord leased = Creation("leased", At(0), At(1000));
  leased.index.leased = true;
  MustCommit({leased, Creation("waiting", At(0), At(1000))});
  EXPECT_THAT(Claim(At(1), At(2000)), ElementsAre());
  Reopen();
  EXPECT_THAT(Claim(At(1), At(2000)), ElementsAre("leased"));
}

TEST_P(DurableStoreContract, KeepsAResetOfDueTimes) {
  MustCommit({Creation("a", At(0), At(1000))});
  ASSERT_TRUE(store().ResetDue(At(1), At(50), 10).ok());
  Reopen();
  EXPECT_EQ(MustLoad("a").due, At(1));
  EXPECT_THAT(Claim(At(1), At(2000)), ElementsAre("a"));
  MustCommit({Ending(Creation("a"))});
  Reopen();
  EXPECT_EQ(store().Unfinished(), 0U);
}

TEST_P(DurableStoreContract, DoesNotBringBackWhatWasPurged) {
  const SaveRecord a = Creation("a", At(0)), b = Creation("b", At(0));
  MustCommit({a, b, Ending(a, At(1)), Ending(b, At(50))});
  ASSERT_EQ(*store().Purge(At(10), 100), 1U);
  Reopen();
  EXPECT_FALSE(Exists("a"));
  EXPECT_THAT(ListAll(), ElementsAre("b"));
  ASSERT_EQ(*store().Purge(At(100), 100), 1U);
  EXPECT_THAT(ListAll(), ElementsAre());
}

TEST_P(DurableStoreContract, KeepsNamedValuesWhenOpenedAgain) {
  const KvRecord topic = {.category = "topics",
                          .key = "a",
                          .value = "[]",
                          .version = 1,
                          .create_time = At(1),
                          .update_time = At(2)};
  ASSERT_TRUE(store().CreateKv(topic).ok());
  Reopen();
  const auto found = store().FindKv("topics", "a");
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().value, "[]");
  EXPECT_EQ(store().CreateKv(topic).code(), StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace troth
