// What is there after the store was closed and opened again.

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;

TEST_P(DurableStoreContract, KeepsRecordsWhenOpenedAgain) {
  Draft finished = Creation("finished", At(1));
  const Draft open = Creation("open", At(2));
  Draft paged = After(open);
  AddBranch(paged, "payload 1");
  FixedOf(paged.txn) = "merged";
  paged.fixed_changed = true;
  MustCommit({finished, open, paged});
  MustCommit({Ending(finished)});
  Reopen();

  EXPECT_EQ(MarkOf(MustLoad("finished")), "finished v2");
  const Transaction record = MustLoad("open");
  EXPECT_EQ(record.version, 2U);
  EXPECT_EQ(FixedOf(record), "merged");
  EXPECT_THAT(PayloadsOf(record), ElementsAre("payload 0 of open", "payload 1"));
  EXPECT_THAT(ListAll(), ElementsAre("open", "finished"));
}

TEST_P(DurableStoreContract, ChecksVersionsAndDuplicatesWhenOpenedAgain) {
  const Draft finished = Creation("finished"), open = Creation("open");
  MustCommit({finished, open, Ending(finished)});
  Reopen();
  EXPECT_EQ(Commit(Creation("finished")), SaveResult::kConflict);
  EXPECT_EQ(Commit(Creation("open")), SaveResult::kConflict);
  EXPECT_EQ(Commit(After(After(open))), SaveResult::kConflict);
  const Draft touched = After(MustLoad("open"));
  MustCommit({touched, Ending(touched)});
  EXPECT_EQ(MustLoad("open").status, TransStatus::kSucceeded);
}

TEST_P(DurableStoreContract, ListsWhatCameLaterBeforeWhatWasThere) {
  MustCommit({Creation("a", At(5))});
  Reopen();
  MustCommit({Creation("b", At(4)), Creation("c", At(6))});
  if (newest_first()) {  // whatever the clocks said
    EXPECT_THAT(ListAll(), ElementsAre("c", "b", "a"));
  }
  EXPECT_THAT(ListAll({.created_to = At(4)}), ElementsAre("b"));
}

TEST_P(DurableStoreContract, KeepsDueTimesOfWhatWaits) {
  MustCommit({Creation("a", At(0), At(30)), Creation("b", At(0), At(20))});
  Reopen();
  EXPECT_THAT(Claim(At(19), At(100)), ElementsAre());
  EXPECT_THAT(Claim(At(30), At(100)), ElementsAre("b", "a"));
}

TEST_P(DurableExclusiveStoreContract, CountsTheUnfinishedWhenOpenedAgain) {
  const Draft a = Creation("a"), b = Creation("b", At(0), At(20));
  MustCommit({a, b, Ending(a)});
  Reopen();
  EXPECT_EQ(store().Unfinished(), 1U);
  EXPECT_EQ(store().NextDue(), At(20));
}

TEST_P(DurableExclusiveStoreContract, HandsOutAtOnceWhatItsOnlyServerWorkedOnOrWasToTryAgain) {
  Draft leased = Creation("leased", At(0), At(1000));
  leased.txn.leased = true;
  Draft retried = Creation("retried", At(0), At(1000));
  retried.txn.attempts = {{.row = 0, .next_try = At(1000)}};
  MustCommit({leased, retried, Creation("waiting", At(0), At(1000))});
  EXPECT_THAT(Claim(At(1), At(2000)), ElementsAre());
  Reopen();
  EXPECT_THAT(Claim(At(1), At(2000)), ElementsAre("leased", "retried"));
}

TEST_P(DurableStoreContract, KeepsAResetOfDueTimes) {
  MustCommit({Creation("a", At(0), At(1000))});
  ASSERT_TRUE(store().ResetDue(At(1), At(50), 10).ok());
  Reopen();
  EXPECT_EQ(MustLoad("a").next_cron_time, At(1));
  EXPECT_THAT(Claim(At(1), At(2000)), ElementsAre("a"));
  const Draft touched = After(MustLoad("a"));
  MustCommit({touched, Ending(touched)});
  Reopen();
  EXPECT_THAT(Claim(At(3000), At(4000)), ElementsAre());
}

TEST_P(DurableStoreContract, DoesNotBringBackWhatWasPurged) {
  const Draft a = Creation("a", At(0)), b = Creation("b", At(0));
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
