// When unfinished transactions are due, and who gets them.

#include <set>
#include <thread>

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST_P(StoreContract, ClaimsNothingBeforeItIsDue) {
  MustCommit({Creation("a", At(0), At(10))});
  EXPECT_THAT(Claim(At(9), At(100)), ElementsAre());
  EXPECT_THAT(Claim(At(10), At(100)), ElementsAre("a"));
}

TEST_P(StoreContract, ClaimsTheLongestDueFirstAndNoMoreThanAsked) {
  MustCommit({Creation("c", At(0), At(3)),
              Creation("a", At(0), At(1)),
              Creation("d", At(0), At(4)),
              Creation("b", At(0), At(2))});
  EXPECT_THAT(Claim(At(5), At(100), 2), ElementsAre("a", "b"));
  EXPECT_THAT(Claim(At(5), At(100), 2), ElementsAre("c", "d"));
  EXPECT_THAT(Claim(At(5), At(100), 2), ElementsAre());
}

TEST_P(StoreContract, HandsAClaimedRecordOutWhole) {
  MustCommit({Creation("a", At(0), At(1))});
  const auto claimed = store().ClaimDue(At(2), At(100), 10);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  ASSERT_EQ(claimed->size(), 1U);
  const Transaction txn = Decode(claimed->front());
  EXPECT_EQ(FixedOf(txn), "fixed of a");
  EXPECT_THAT(PayloadsOf(txn), ElementsAre("payload 0 of a"));
  EXPECT_EQ(MarkOf(txn), "a v1");
  EXPECT_EQ(txn.version, 1U);
}

TEST_P(StoreContract, ClaimsAgainWhenTheLeaseRanOut) {
  MustCommit({Creation("a", At(0), At(1))});
  EXPECT_THAT(Claim(At(2), At(20)), ElementsAre("a"));
  EXPECT_THAT(Claim(At(19), At(40)), ElementsAre());
  EXPECT_THAT(Claim(At(20), At(40)), ElementsAre("a"));
}

TEST_P(StoreContract, FollowsTheDueTimeOfALaterSave) {
  MustCommit({Creation("a", At(0), At(1))});
  EXPECT_THAT(Claim(At(2), At(100)), ElementsAre("a"));
  Draft waits = After(MustLoad("a"));
  waits.txn.next_cron_time = At(30);
  MustCommit({waits});
  EXPECT_THAT(Claim(At(29), At(100)), ElementsAre());
  EXPECT_THAT(Claim(At(30), At(100)), ElementsAre("a"));
}

TEST_P(StoreContract, KeepsADueTimeThatASaveMovedForth) {
  const Draft created = Creation("a", At(0), At(50));
  Draft sooner = After(created);
  sooner.txn.next_cron_time = At(5);
  MustCommit({created, sooner});
  EXPECT_THAT(Claim(At(5), At(100)), ElementsAre("a"));
}

TEST_P(StoreContract, RefusesASaveFromBeforeAnothersSave) {
  MustCommit({Creation("a", At(0), At(1))});
  EXPECT_THAT(Claim(At(2), At(100)), ElementsAre("a"));
  const Draft first = After(MustLoad("a")), second = After(MustLoad("a"));
  MustCommit({first});
  EXPECT_EQ(Commit(second), SaveResult::kConflict);
}

TEST_P(StoreContract, NeverClaimsWhatHasEnded) {
  const Draft a = Creation("a", At(0), At(1));
  const Draft b = Creation("b", At(0), At(1));
  MustCommit({a, b, Ending(a)});
  MustCommit({Ending(b, At(1), TransStatus::kFailed)});
  EXPECT_THAT(Claim(At(1000), At(2000)), ElementsAre());
}

TEST_P(StoreContract, ClaimsEveryUnfinishedStatus) {
  Draft prepared = Creation("a", At(0), At(1));
  prepared.txn.status = TransStatus::kPrepared;
  Draft aborting = Creation("b", At(0), At(2));
  aborting.txn.status = TransStatus::kAborting;
  MustCommit({prepared, aborting, Creation("c", At(0), At(3))});
  EXPECT_THAT(Claim(At(3), At(100)), ElementsAre("a", "b", "c"));
}

TEST_P(StoreContract, HandsEachDueTransactionToOneOfManyClaimers) {
  constexpr int kTransactions = 300, kClaimers = 3;
  std::vector<Draft> saves;
  for (int i = 0; i < kTransactions; ++i) saves.push_back(Creation(Cat("gid", i), At(0), At(1)));
  MustCommit(saves);
  std::vector<std::string> claimed[kClaimers];
  std::vector<std::thread> claimers;
  for (auto& mine : claimed) {
    claimers.emplace_back([&] {
      for (auto some = Claim(At(2), At(1000), 7); !some.empty(); some = Claim(At(2), At(1000), 7)) {
        mine.insert(mine.end(), some.begin(), some.end());
      }
    });
  }
  for (std::thread& claimer : claimers) claimer.join();
  std::set<std::string> distinct;
  size_t total = 0;
  for (const auto& mine : claimed) {
    distinct.insert(mine.begin(), mine.end());
    total += mine.size();
  }
  EXPECT_EQ(total, size_t{kTransactions});
  EXPECT_EQ(distinct.size(), size_t{kTransactions});
}

TEST_P(ExclusiveStoreContract, TellsWhenTheNextIsDue) {
  EXPECT_EQ(store().NextDue(), std::nullopt);
  const Draft a = Creation("a", At(0), At(10));
  MustCommit({a, Creation("b", At(0), At(20))});
  EXPECT_EQ(store().NextDue(), At(10));
  EXPECT_THAT(Claim(At(10), At(40)), ElementsAre("a"));
  EXPECT_EQ(store().NextDue(), At(20));
  EXPECT_THAT(Claim(At(20), At(60)), ElementsAre("b"));
  EXPECT_EQ(store().NextDue(), At(40));
  MustCommit({Ending(a)});
  EXPECT_EQ(store().NextDue(), At(60));
}

TEST_P(ExclusiveStoreContract, CountsTheUnfinished) {
  const Draft a = Creation("a");
  MustCommit({a, Creation("b")});
  EXPECT_EQ(store().Unfinished(), 2U);
  MustCommit({After(a)});
  EXPECT_EQ(store().Unfinished(), 2U);
  MustCommit({Ending(After(a))});
  EXPECT_EQ(store().Unfinished(), 1U);
}

TEST_P(StoreContract, ResetsOnlyWhatIsDueLaterAndSaysWhenThereIsMore) {
  MustCommit({Creation("soon", At(0), At(10)),
              Creation("a", At(0), At(100)),
              Creation("b", At(0), At(200)),
              Creation("c", At(0), At(300))});
  auto count = store().ResetDue(At(1), At(50), 2);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(count->changed, 2U);
  EXPECT_TRUE(count->more);
  count = store().ResetDue(At(1), At(50), 2);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(count->changed, 1U);
  EXPECT_FALSE(count->more);
  EXPECT_THAT(Claim(At(1), At(1000)), UnorderedElementsAre("a", "b", "c"));
}

TEST_P(StoreContract, TellsWhoLoadsThatTheDueTimeWasReset) {
  const Draft a = Creation("a", At(0), At(100));
  MustCommit({a});
  ASSERT_TRUE(store().ResetDue(At(1), At(50), 10).ok());
  EXPECT_EQ(MustLoad("a").next_cron_time, At(1));
  EXPECT_EQ(MustLoad("a").version, 1U);
  MustCommit({After(a)});
  EXPECT_EQ(MustLoad("a").next_cron_time, At(100));
  EXPECT_THAT(Claim(At(99), At(1000)), ElementsAre());
}

TEST_P(StoreContract, ResetsNothingOfTheFinished) {
  const Draft a = Creation("a", At(0), At(100));
  MustCommit({a, Ending(a)});
  const auto count = store().ResetDue(At(1), At(50), 10);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(count->changed, 0U);
  EXPECT_FALSE(count->more);
}

}  // namespace
}  // namespace troth
