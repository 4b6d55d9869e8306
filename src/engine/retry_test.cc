#include "engine/retry.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace troth {
namespace {

constexpr TimePoint kNow = TimePoint(std::chrono::hours(1));

Transaction WithOptions(TransOptions options) {
  Transaction txn;
  txn.options = std::move(options);
  txn.next_cron_interval = BaseInterval(txn, {});
  return txn;
}

PassState PassFrom(TimePoint start) {
  PassState pass;
  pass.Reset(start, start + Seconds(10));
  return pass;
}

TEST(BaseInterval, IsTheTransactionsOwnElseAShortTimeoutElseTheServers) {
  EXPECT_EQ(BaseInterval(WithOptions({.retry_interval = 3}), {}), 3);
  EXPECT_EQ(BaseInterval(WithOptions({.timeout_to_fail = 4}), {}), 4);
  EXPECT_EQ(BaseInterval(WithOptions({.timeout_to_fail = 40}), {}), 10);
  EXPECT_EQ(BaseInterval(WithOptions({}), {}), 10);
}

TEST(BaseInterval, IsNeverZero) {
  EngineOptions options;
  options.retry_interval = std::chrono::milliseconds(100);
  EXPECT_EQ(BaseInterval(Transaction{}, options), 1);
}

TEST(Timeouts, AreBoundedWhateverAClientAsksFor) {
  const EngineOptions options;
  const Duration longest = Seconds(options.limits.option_seconds_max);
  Transaction txn;
  txn.options.timeout_to_fail = INT64_MAX;
  txn.options.request_timeout = INT64_MAX;
  EXPECT_EQ(TimeoutToFail(txn, options), longest);
  EXPECT_EQ(RequestTimeout(txn, options), longest);
  txn.options.timeout_to_fail = -1;
  EXPECT_EQ(TimeoutToFail(txn, options), options.timeout_to_fail);
}

TEST(LeaseTime, OutlastsACall) {
  EXPECT_EQ(LeaseTime(Transaction{}, {}), Seconds(10));
  EXPECT_EQ(LeaseTime(WithOptions({.request_timeout = 60}), {}), Seconds(65));
}

TEST(TouchUnknown, SpreadsWhatFailedTogether) {
  EngineOptions options;
  options.retry_jitter_percent = 10;
  std::set<Duration> waits;
  for (int i = 0; i < 20; ++i) {
    Transaction txn = WithOptions({});
    txn.gid = std::to_string(i);
    PassState pass = PassFrom(kNow);
    TouchUnknown(txn, pass, kNow, options);
    EXPECT_GE(pass.due - kNow, Seconds(20));
    EXPECT_LT(pass.due - kNow, Seconds(22));
    waits.insert(pass.due - kNow);
  }
  EXPECT_GT(waits.size(), 10u);
}

TEST(TouchUnknown, WaitsAtLeastAsLongAsItIsHeldBack) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  TouchUnknown(txn, pass, kNow, {}, Seconds(100));
  EXPECT_EQ(pass.due - kNow, Seconds(100));
  EXPECT_EQ(txn.next_cron_interval, 20);
  TouchUnknown(txn, pass, kNow, {}, Seconds(1));
  EXPECT_GE(pass.due - kNow, Seconds(40));
}

TEST(TouchUnknown, DoublesFirstAndWaitsThatLong) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  TouchUnknown(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, 20);
  EXPECT_EQ(pass.due, kNow + Seconds(20));
}

TEST(TouchUnknown, StopsAtTheCap) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  for (int i = 0; i < 100; ++i) TouchUnknown(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, Limits{}.retry_interval_max);
}

TEST(TouchUnknown, MakesNothingOfADamagedInterval) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  txn.next_cron_interval = INT64_MAX;
  TouchUnknown(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, Limits{}.retry_interval_max);
  txn.next_cron_interval = -5;
  TouchUnknown(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, 2);
}

TEST(TouchOngoing, KeepsTheInterval) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  txn.next_cron_interval = 40;
  TouchOngoing(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, 40);
  EXPECT_EQ(pass.due, kNow + Seconds(40));
}

TEST(TouchSucceeded, ResetsAfterABackoff) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  txn.next_cron_interval = 40;
  TouchSucceeded(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, 10);
  EXPECT_EQ(pass.due, kNow + Seconds(10));
}

TEST(TouchSucceeded, MovesTheDueTimeInASlowPassOnly) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  TouchSucceeded(txn, pass, kNow + std::chrono::milliseconds(1499), {});
  EXPECT_EQ(pass.due, kNow + Seconds(10));
  TouchSucceeded(txn, pass, kNow + std::chrono::milliseconds(1500), {});
  EXPECT_EQ(pass.due, kNow + std::chrono::milliseconds(11500));
}

TEST(TouchSucceeded, LeavesTheBackoffOfAnotherRowAlone) {
  Transaction txn = WithOptions({});
  PassState pass = PassFrom(kNow);
  TouchUnknown(txn, pass, kNow, {});
  pass.Set(3, RowState::kAnswered);
  TouchSucceeded(txn, pass, kNow, {});
  EXPECT_EQ(txn.next_cron_interval, 20);
  EXPECT_EQ(pass.due, kNow + Seconds(20));
}

TEST(Doublings, CountsHowOftenTheIntervalDoubled) {
  Transaction txn = WithOptions({});
  EXPECT_EQ(Doublings(txn, {}), 0);
  txn.next_cron_interval = 20;
  EXPECT_EQ(Doublings(txn, {}), 1);
  txn.next_cron_interval = 85;
  EXPECT_EQ(Doublings(txn, {}), 3);
  txn.next_cron_interval = 0;
  EXPECT_EQ(Doublings(txn, {}), 0);
}

}  // namespace
}  // namespace troth
