#include "store/dtm/owner.h"

#include <gtest/gtest.h>

namespace troth::dtm {
namespace {

const TimePoint kUpdated = FromMicros(1'795'254'462'000'000);

TEST(Owner, TellsTheVersionThatWasWritten) {
  const OwnerInfo info = ReadOwner(OwnerText("tok", 7, true), kUpdated);
  EXPECT_EQ(info.version, 7U);
  EXPECT_TRUE(info.leased);
  EXPECT_FALSE(ReadOwner(OwnerText("tok", 7, false), kUpdated).leased);
}

TEST(Owner, OfDtmHasTheTimeOfItsLastWriteAsVersion) {
  for (const char* const owner : {"", "QpaCf6ihP9CYmpaPcXcodT", "a@b", "tok@0@w", "tok@x@w"}) {
    const OwnerInfo info = ReadOwner(owner, kUpdated);
    EXPECT_EQ(info.version, 1'795'254'462U) << owner;
    EXPECT_FALSE(info.leased) << owner;
  }
  EXPECT_EQ(ReadOwner("", std::nullopt).version, 1U);
}

TEST(Owner, IsExpectedAsItWasReadUntilThisStoreWrites) {
  for (const std::string owner : {"", "QpaCf6ihP9CYmpaPcXcodT", "other@7@w"}) {
    const OwnerInfo read = ReadOwner(owner, kUpdated);
    EXPECT_EQ(ExpectedOwner(read.remembered, read.version, "tok", true), owner);
    EXPECT_EQ(ExpectedOwner(read.remembered, read.version + 1, "tok", true),
              OwnerText("tok", read.version + 1, true));
  }
  EXPECT_EQ(ExpectedOwner("", 1, "tok", false), "tok@1@p");
}

TEST(Owner, KeepsItsVersionInAClaim) {
  EXPECT_EQ(ClaimedOwnerText("claim", "tok@7@p"), "claim@7@w");
  EXPECT_EQ(ReadOwner(ClaimedOwnerText("claim", "tok@7@p"), kUpdated).version, 7U);
  EXPECT_EQ(ReadOwner(ClaimedOwnerText("claim", "QpaC"), kUpdated).version, 1'795'254'462U);
  EXPECT_EQ(ReadOwner(ClaimedOwnerText("claim", ""), kUpdated).version, 1'795'254'462U);
}

}  // namespace
}  // namespace troth::dtm
