// The simulator itself: what it shows can be shown again.

#include <gtest/gtest.h>

#include "world.h"

namespace troth::sim {
namespace {

TEST(Simulator, TheSameSeedGivesTheSameLogByteForByte) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const SeedResult first = RunSeed(seed, Bug::kNone, /*keep_log=*/true);
    const SeedResult second = RunSeed(seed, Bug::kNone, /*keep_log=*/true);
    EXPECT_FALSE(first.log.empty());
    EXPECT_EQ(first.log, second.log) << "seed " << seed;
  }
}

TEST(Simulator, KeepingTheLogChangesNothing) {
  const SeedResult with = RunSeed(7, Bug::kNone, /*keep_log=*/true);
  const SeedResult without = RunSeed(7, Bug::kNone, /*keep_log=*/false);
  EXPECT_EQ(with.steps, without.steps);
  EXPECT_EQ(with.faults, without.faults);
}

TEST(Simulator, EachSeedGoesItsOwnWay) {
  EXPECT_NE(RunSeed(1, Bug::kNone, /*keep_log=*/true).log,
            RunSeed(2, Bug::kNone, /*keep_log=*/true).log);
}

}  // namespace
}  // namespace troth::sim
