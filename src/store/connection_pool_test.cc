#include "store/connection_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace troth {
namespace {

using testing::HasSubstr;

struct FakeConnection {
  int number = 0;
  bool works = true;
  TimePoint opened = SystemClock().Now();

  bool usable() const { return works; }
  TimePoint opened_at() const { return opened; }
};

class ConnectionPoolTest : public testing::Test {
 protected:
  using Pool = ConnectionPool<FakeConnection>;

  Pool MakePool(ConnectionPoolOptions options = {}) {
    options.server = "Fake";
    options.idle_max = 10;
    options.wait_max = std::chrono::milliseconds(50);
    return Pool(options, [this]() -> StatusOr<std::unique_ptr<FakeConnection>> {
      ++tries_;
      if (!problem_.ok()) return problem_;
      return std::make_unique<FakeConnection>(FakeConnection{.number = tries_});
    });
  }
  static int NumberOf(Pool& pool) {
    const auto lease = pool.Take();
    EXPECT_TRUE(lease.ok()) << lease.status();
    return lease.ok() ? (*lease)->number : 0;
  }

  Status problem_;  // what opening fails with
  int tries_ = 0;
};

TEST_F(ConnectionPoolTest, UsesAConnectionAgain) {
  Pool pool = MakePool();
  EXPECT_EQ(NumberOf(pool), 1);
  EXPECT_EQ(NumberOf(pool), 1);
}

TEST_F(ConnectionPoolTest, OpensNoMoreThanItMay) {
  Pool pool = MakePool({.open_max = 2});
  const auto first = pool.Take();
  {
    const auto second = pool.Take();
    ASSERT_TRUE(first.ok() && second.ok());
    const Status third = pool.Take().status();
    EXPECT_EQ(third.code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(Message(third)), HasSubstr("all 2 connections to Fake are in use"));
  }
  EXPECT_EQ(NumberOf(pool), 2);
}

TEST_F(ConnectionPoolTest, ForgetsWhatIsOldBrokenOrOfAServerThatWasRestarted) {
  Pool aging = MakePool({.age_max = Duration(1)});
  EXPECT_EQ(NumberOf(aging), 1);
  EXPECT_EQ(NumberOf(aging), 2);
  Pool pool = MakePool();
  {
    const auto lease = pool.Take();
    ASSERT_TRUE(lease.ok());
    (*lease)->works = false;
  }
  EXPECT_EQ(NumberOf(pool), 4);
  pool.CloseIdle();
  EXPECT_EQ(NumberOf(pool), 5);
}

TEST_F(ConnectionPoolTest, TriesAServerThatDoesNotAnswerNowAndThen) {
  Pool pool = MakePool({.open_max = 1});
  problem_ = Unavailable("nobody is there");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.Take().status(), problem_);
  EXPECT_LT(tries_, 100);
  problem_ = OkStatus();
  while (!pool.Take().ok()) std::this_thread::yield();
  EXPECT_EQ(NumberOf(pool), tries_);
}

}  // namespace
}  // namespace troth
