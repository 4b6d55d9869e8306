#include "base/time.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int64_t kMicros = 1795253583807988;  // 2026-11-21T09:33:03.807988Z

TEST(FormatTime, WritesMicrosecondsWithoutTrailingZeros) {
  EXPECT_EQ(FormatTime(FromMicros(kMicros)), "2026-11-21T09:33:03.807988Z");
  EXPECT_EQ(FormatTime(FromMicros(kMicros / 100'000 * 100'000)), "2026-11-21T09:33:03.8Z");
  EXPECT_EQ(FormatTime(FromMicros(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(FromMicros(7)), "1970-01-01T00:00:00.000007Z");
}

TEST(FormatTime, WritesTheOffset) {
  EXPECT_EQ(FormatTime(FromMicros(kMicros), hours(8)), "2026-11-21T17:33:03.807988+08:00");
  EXPECT_EQ(FormatTime(FromMicros(0), minutes(-210)), "1969-12-31T20:30:00-03:30");
}

TEST(FormatTime, WritesTimesBefore1970) {
  EXPECT_EQ(FormatTime(FromMicros(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(ParseTime, ReadsWhatFormatTimeWrites) {
  for (const int64_t micros : {kMicros, int64_t{0}, int64_t{-1}, int64_t{951'782'399'000'000}}) {
    for (const minutes offset : {minutes(0), minutes(480), minutes(-210)}) {
      EXPECT_EQ(ParseTime(FormatTime(FromMicros(micros), offset)), FromMicros(micros));
    }
  }
}

TEST(ParseTime, CutsDigitsAfterTheSixth) {
  EXPECT_EQ(ParseTime("2026-11-21T09:33:03.807988999Z"), FromMicros(kMicros));
  EXPECT_EQ(ParseTime("1970-01-01t00:00:00.5z"), FromMicros(500'000));
}

TEST(ParseTime, RefusesWhatIsNotRfc3339) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-21",
                           "2026-11-21T09:33:03",
                           "2026-11-21T09:33:03.Z",
                           "2026-11-21T09:33:03+0800",
                           "2026-11-21T09:33:03Z ",
                           " 2026-11-21T09:33:03Z",
                           "2026-13-21T09:33:03Z",
                           "2026-02-29T09:33:03Z",
                           "2026-11-21T24:33:03Z",
                           "2026-11-21T09:60:03Z",
                           "2026-11-21T09:33:60Z",
                           "2026-11-21T09:33:03+24:00",
                           "-026-11-21T09:33:03Z",
                           "2026-11-21 09:33:03Z",
                           "2026-11-00T09:33:03Z"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

TEST(ParseTime, KnowsLeapDays) {
  EXPECT_TRUE(ParseTime("2024-02-29T00:00:00Z").has_value());
  EXPECT_FALSE(ParseTime("2100-02-29T00:00:00Z").has_value());
}

TEST(SystemUtcOffset, IsAnOffsetThatExists) {
  const minutes offset = SystemUtcOffset(FromMicros(kMicros));
  EXPECT_GE(offset, hours(-12));
  EXPECT_LE(offset, hours(14));
}

}  // namespace
}  // namespace troth
