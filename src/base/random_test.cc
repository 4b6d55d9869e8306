#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "base/check.h"

namespace troth {
namespace {

constexpr std::string_view kGidAlphabet =
    "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// Reads a gid back into the 128 bits it stands for.
unsigned __int128 GidBits(std::string_view gid) {
  unsigned __int128 bits = 0;
  for (size_t i = gid.size(); i-- > 0;) bits = bits * 57 + kGidAlphabet.find(gid[i]);
  return bits;
}

TEST(Random, SameSeedGivesTheSameRun) {
  Random a(7);
  Random b(7);
  Random other(8);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_EQ(NewGid(a), NewGid(b));
  EXPECT_NE(a.Next(), other.Next());
}

TEST(Random, MatchesThePublishedGenerator) {
  // xoshiro256** seeded by splitmix64 from 0, as the authors' reference code prints it.
  Random random(0);
  EXPECT_EQ(random.Next(), 11091344671253066420u);
  EXPECT_EQ(random.Next(), 13793997310169335082u);
  EXPECT_EQ(random.Next(), 1900383378846508768u);
}

TEST(Random, BelowStaysBelowAndReachesEveryValue) {
  Random random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.Below(5));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(random.Below(1), 0u);
  EXPECT_EQ(random.Below(0), 0u);
}

TEST(Random, UnitIsAtLeastZeroAndLessThanOne) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double unit = random.Unit();
    ASSERT_GE(unit, 0);
    ASSERT_LT(unit, 1);
    sum += unit;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, OneInZeroNeverHappens) {
  Random random(1);
  EXPECT_FALSE(random.OneIn(0));
  EXPECT_TRUE(random.OneIn(1));
}

TEST(Random, DeviceSeedsDiffer) {
  Random a = Random::FromDevice();
  Random b = Random::FromDevice();
  EXPECT_NE(a.Next(), b.Next());
}

TEST(NewGid, IsAUuidInBase57) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    const std::string gid = NewGid(random);
    ASSERT_GE(gid.size(), 20u);
    ASSERT_LE(gid.size(), 22u);
    ASSERT_EQ(gid.find_first_not_of(kGidAlphabet), std::string::npos) << gid;
    const unsigned __int128 bits = GidBits(gid);
    ASSERT_EQ(static_cast<int>(bits >> 76) & 0xf, 4) << "version";
    ASSERT_EQ(static_cast<int>(bits >> 62) & 0x3, 2) << "variant";
  }
}

TEST(NewGid, DoesNotRepeat) {
  Random random(3);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(NewGid(random));
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(NewUuid, HasTheUsualForm) {
  Random random(3);
  const std::string uuid = NewUuid(random);
  ASSERT_EQ(uuid.size(), 36u);
  for (const size_t dash : {8u, 13u, 18u, 23u}) EXPECT_EQ(uuid[dash], '-');
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string_view("89ab").find(uuid[19]), std::string_view::npos);
  EXPECT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos);
}

TEST(CheckDeathTest, NamesTheConditionAndStops) {
  EXPECT_DEATH(TROTH_CHECK(1 + 1 == 3), "random_test.cc:.*1 \\+ 1 == 3");
}

}  // namespace
}  // namespace troth
