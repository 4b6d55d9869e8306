#include "store/dtm/local_time.h"

#include <gtest/gtest.h>
#include <stdlib.h>  // setenv
#include <time.h>    // tzset

namespace troth::dtm {
namespace {

using std::chrono::minutes;

TimePoint Utc(std::string_view text) { return *ParseTime(text); }

TEST(LocalTime, WritesAndReadsTimesOfAnOffset) {
  const LocalTime local(minutes(8 * 60));
  EXPECT_EQ(local.Format(Utc("2026-11-21T09:26:44.999Z")), "2026-11-21 17:26:44");
  EXPECT_EQ(local.Parse("2026-11-21 17:26:44"), Utc("2026-11-21T09:26:44Z"));
  EXPECT_EQ(local.Parse("2026-11-21 17:26:44.250000"), Utc("2026-11-21T09:26:44.25Z"));
}

TEST(LocalTime, ReadsNothingThatIsNoTime) {
  const LocalTime local(minutes(0));
  for (const char* const text : {"", "0000-00-00 00:00:00", "2026-11-21", "2026-11-21T09:26:44"}) {
    EXPECT_EQ(local.Parse(text), std::nullopt) << text;
  }
}

TEST(LocalTime, FollowsTheMachinesZoneThroughTheYear) {
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  const LocalTime local(std::nullopt);
  for (const char* const text : {"2026-01-15T12:00:00Z",
                                 "2026-03-29T00:59:59Z",
                                 "2026-03-29T01:00:00Z",
                                 "2026-07-15T12:00:00Z",
                                 "2026-10-25T02:00:00Z"}) {
    EXPECT_EQ(local.Parse(local.Format(Utc(text))), Utc(text)) << text;
  }
  EXPECT_EQ(local.Format(Utc("2026-07-15T12:00:00Z")), "2026-07-15 14:00:00");
  // The hour that exists twice.
  EXPECT_EQ(local.Parse("2026-10-25 02:30:00"), Utc("2026-10-25T00:30:00Z"));
  setenv("TZ", "UTC", 1);
  tzset();
}

}  // namespace
}  // namespace troth::dtm
