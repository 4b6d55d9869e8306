#include "discovery/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace troth {
namespace {

using testing::ElementsAre;
using testing::Pair;

struct Slot {
  int name = 0;
  BalanceState balance = {};
  size_t load = 0;
  size_t calls_in_flight() const { return load; }
};

class BalancerTest : public testing::Test {
 protected:
  explicit BalancerTest(Balance kind = Balance::kRoundRobin) : balancer_(kind, Random(1)) {}
  std::map<int, int> Picks(int count, const Slot* avoid = nullptr) {
    std::map<int, int> picks;
    for (int i = 0; i < count; ++i) ++picks[balancer_.Pick(slots_, avoid, now_)->name];
    return picks;
  }

  Slot a_{1}, b_{2}, c_{3};
  std::vector<Slot*> slots_ = {&a_, &b_, &c_};
  Ejection::Time now_{std::chrono::hours(1)};
  Balancer<Slot> balancer_;
};

class LeastLoadedTest : public BalancerTest {
 protected:
  LeastLoadedTest() : BalancerTest(Balance::kLeastLoaded) {}
};

TEST_F(BalancerTest, GoesRoundWhenWeightsAreEqual) {
  std::vector<int> order;
  for (int i = 0; i < 6; ++i) order.push_back(balancer_.Pick(slots_, nullptr, now_)->name);
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST_F(BalancerTest, GivesEachItsShareByWeight) {
  a_.balance.weight = 20;
  b_.balance.weight = 100;
  c_.balance.weight = 80;
  EXPECT_THAT(Picks(1000), ElementsAre(Pair(1, 100), Pair(2, 500), Pair(3, 400)));
}

TEST_F(BalancerTest, AvoidsOneUnlessItIsTheOnlyOne) {
  EXPECT_THAT(Picks(10, &b_), ElementsAre(Pair(1, 5), Pair(3, 5)));
  slots_ = {&b_};
  EXPECT_THAT(Picks(1, &b_), ElementsAre(Pair(2, 1)));
  slots_.clear();
  EXPECT_EQ(balancer_.Pick(slots_, nullptr, now_), nullptr);
}

TEST_F(BalancerTest, LeavesOutWhatFailedCallAfterCallAndTriesItWithOneCall) {
  for (int i = 0; i < 3; ++i) b_.balance.ejection.OnFailure(now_, 3);
  EXPECT_THAT(Picks(10), ElementsAre(Pair(1, 5), Pair(3, 5)));
  now_ += Ejection::kPauseMin;
  EXPECT_EQ(Picks(10)[2], 1);
  b_.balance.ejection.OnSuccess();
  EXPECT_THAT(Picks(9), ElementsAre(Pair(1, 3), Pair(2, 3), Pair(3, 3)));
}

TEST_F(BalancerTest, UsesEjectedOnesWhenThereIsNoOther) {
  for (Slot* slot : slots_) slot->balance.ejection.OnFailure(now_, 1);
  EXPECT_EQ(Picks(9).size(), 3u);
}

TEST_F(LeastLoadedTest, TakesTheLessBusyOfTwo) {
  a_.load = 50;
  b_.load = 0;
  c_.load = 50;
  const auto picks = Picks(900);
  EXPECT_GT(picks.at(2), 500);  // whenever it is one of the two: 2 of 3 times
  EXPECT_GT(picks.at(1), 50);
  EXPECT_GT(picks.at(3), 50);
}

TEST_F(LeastLoadedTest, NeverTakesTheBusierWhenThereAreTwo) {
  slots_ = {&a_, &b_};
  a_.load = 1;
  EXPECT_THAT(Picks(100), ElementsAre(Pair(2, 100)));
  slots_ = {&a_};
  EXPECT_THAT(Picks(1), ElementsAre(Pair(1, 1)));
}

TEST_F(LeastLoadedTest, CountsLoadByWeight) {
  slots_ = {&a_, &b_};
  a_.balance.weight = 10;
  a_.load = 1;
  b_.load = 9;  // half of what its ten times greater weight allows
  EXPECT_EQ(Picks(100)[2], 100);
}

TEST(Ejection, LastsLongerEachTimeUpToABound) {
  Ejection ejection;
  Ejection::Time now{std::chrono::hours(1)};
  Duration last = Duration::zero();
  for (int i = 0; i < 20; ++i) {
    ejection.OnFailure(now, 1);
    const Ejection::Time from = now;
    while (!ejection.Usable(now)) now += std::chrono::milliseconds(500);
    const auto pause = std::chrono::duration_cast<Duration>(now - from);
    EXPECT_GE(pause, last);
    last = pause;
  }
  EXPECT_EQ(last, Ejection::kPauseMax);
}

TEST(Ejection, TakesFailuresInARow) {
  Ejection ejection;
  const Ejection::Time now{std::chrono::hours(1)};
  for (int i = 0; i < 10; ++i) {
    ejection.OnFailure(now, 3);
    ejection.OnFailure(now, 3);
    ejection.OnSuccess();
  }
  EXPECT_TRUE(ejection.Usable(now));
  EXPECT_FALSE(ejection.ejected());
}

}  // namespace
}  // namespace troth
