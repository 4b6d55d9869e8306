#include "runtime/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kUrl = "127.0.0.1:9000/busi.Busi/TransIn";

TimePoint At(int64_t millis) { return FromMicros(1'000'000'000 + millis * 1000); }

// Five calls of transactions g0 ... g4 that reach nobody.
void Open(Lanes& lanes, TimePoint now) {
  for (int i = 0; i < 5; ++i) lanes.OnUnreachable(kUrl, Cat("g", i), now);
}

TEST(Lanes, OpenAfterFiveInARow) {
  Lanes lanes;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(lanes.OnUnreachable(kUrl, "g", At(0)));
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(0)));
  EXPECT_TRUE(lanes.OnUnreachable(kUrl, "g", At(0)));
  EXPECT_TRUE(lanes.Refuses(kUrl, "g", At(0)));
  EXPECT_FALSE(lanes.Refuses("127.0.0.1:9001/busi.Busi/TransIn", "g", At(0)));
  EXPECT_EQ(lanes.open(), 1u);
}

TEST(Lanes, AnAnswerBetweenStartsTheCountAnew) {
  Lanes lanes;
  for (int i = 0; i < 4; ++i) lanes.OnUnreachable(kUrl, "g", At(0));
  EXPECT_FALSE(lanes.OnAnswered(kUrl, At(0)));
  EXPECT_TRUE(lanes.empty());
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(lanes.OnUnreachable(kUrl, "g", At(0)));
}

// Otherwise one method that is always unavailable would be called again at every success of
// another.
TEST(Lanes, OneFailureAmongAnswersWaitsForItsBackoff) {
  Lanes lanes;
  lanes.OnUnreachable(kUrl, "g", At(0));
  lanes.OnAnswered(kUrl, At(1));
  EXPECT_THAT(lanes.TakeDue(At(60'000)), IsEmpty());
}

TEST(Lanes, OneCallAtATimeProbes) {
  Lanes lanes;
  Open(lanes, At(0));
  EXPECT_TRUE(lanes.Refuses(kUrl, "g", At(999)));
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(1000)));
  EXPECT_TRUE(lanes.Refuses(kUrl, "g", At(1000)));
  lanes.OnUnreachable(kUrl, "g", At(1001));
  EXPECT_TRUE(lanes.Refuses(kUrl, "g", At(3000)));  // two seconds now
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(3001)));
}

TEST(Lanes, WakesOneTransactionToProbe) {
  Lanes lanes;
  Open(lanes, At(0));
  EXPECT_EQ(lanes.NextDue(), At(1000));
  EXPECT_THAT(lanes.TakeDue(At(999)), IsEmpty());
  EXPECT_THAT(lanes.TakeDue(At(1000)), SizeIs(1));
  EXPECT_THAT(lanes.TakeDue(At(1000)), IsEmpty());
  EXPECT_FALSE(lanes.Refuses(kUrl, "g0", At(1010)));
  EXPECT_EQ(lanes.NextDue(), At(31'010));  // unless the probe is answered before
}

// The transaction that made the call may have been given up, for instance by a store in trouble.
TEST(Lanes, AProbeThatIsNotHeardOfMakesRoomForTheNext) {
  Lanes lanes;
  Open(lanes, At(0));
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(1000)));
  EXPECT_TRUE(lanes.Refuses(kUrl, "g", At(30'999)));
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(31'000)));
}

TEST(Lanes, AClockThatIsSetBackHoldsUpNobody) {
  Lanes lanes;
  Open(lanes, At(3'600'000));
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(0)));
}

TEST(Lanes, WakeEverybodyInStepsWhenTheEndpointIsBack) {
  Lanes lanes({.wake_step = 3});
  Open(lanes, At(0));
  EXPECT_TRUE(lanes.OnAnswered(kUrl, At(500)));
  EXPECT_FALSE(lanes.Refuses(kUrl, "g", At(500)));
  std::vector<std::string> woken = lanes.TakeDue(At(500));
  EXPECT_THAT(woken, SizeIs(3));
  EXPECT_EQ(lanes.NextDue(), At(510));
  for (std::string& gid : lanes.TakeDue(At(510))) woken.push_back(std::move(gid));
  EXPECT_THAT(woken, UnorderedElementsAre("g0", "g1", "g2", "g3", "g4"));
}

TEST(Lanes, AnEndpointThatComesAndGoesWakesSeldom) {
  Lanes lanes;
  Open(lanes, At(0));
  lanes.OnAnswered(kUrl, At(100));
  EXPECT_THAT(lanes.TakeDue(At(100)), SizeIs(5));
  Open(lanes, At(200));
  lanes.OnAnswered(kUrl, At(300));
  EXPECT_THAT(lanes.TakeDue(At(300)), IsEmpty());
  Open(lanes, At(15'200));
  lanes.OnAnswered(kUrl, At(15'300));
  EXPECT_THAT(lanes.TakeDue(At(15'300)), SizeIs(5));
}

TEST(Lanes, ForgetsAnEndpointThatIsWell) {
  Lanes lanes;
  Open(lanes, At(0));
  lanes.OnAnswered(kUrl, At(100));
  lanes.TakeDue(At(100));
  EXPECT_FALSE(lanes.empty());
  lanes.TakeDue(*lanes.NextDue());
  EXPECT_TRUE(lanes.empty());
  EXPECT_EQ(lanes.open(), 0u);
}

// Whoever is held back later waits longer, so that they do not come back together.
TEST(Lanes, HoldsManyForLonger) {
  Lanes lanes({.held_back_per_second = 10});
  Open(lanes, At(0));
  EXPECT_EQ(lanes.Refuses(kUrl, "g5", At(1)), std::chrono::milliseconds(600));
  EXPECT_EQ(lanes.Refuses(kUrl, "g6", At(1)), std::chrono::milliseconds(700));
  EXPECT_EQ(lanes.Refuses(kUrl, "g5", At(1)), std::chrono::milliseconds(700));
}

TEST(Lanes, CountsWhomItCannotRemember) {
  Lanes lanes({.waiting_max = 2, .lanes_max = 1});
  Open(lanes, At(0));
  EXPECT_EQ(lanes.waiting(), 2u);
  EXPECT_EQ(lanes.forgotten(), 3u);
  lanes.OnUnreachable("other:1/b.C/M", "g", At(0));
  EXPECT_EQ(lanes.forgotten(), 4u);
}

}  // namespace
}  // namespace troth
