#include "api/watchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "net/net_testing.h"

namespace troth {
namespace {

class CountingWatcher final : public Watcher {
 public:
  explicit CountingWatcher(net::Loop& loop) : loop_(loop) {}
  void Look() override { ++looks; }
  net::Loop& loop() override { return loop_; }

  int looks = 0;

 private:
  net::Loop& loop_;
};

class WatchersTest : public ::testing::Test {
 protected:
  std::shared_ptr<CountingWatcher> Add(std::string gid) {
    auto watcher = std::make_shared<CountingWatcher>(thread_.loop());
    EXPECT_TRUE(watchers_.Add(std::move(gid), watcher));
    return watcher;
  }
  // What was posted to the loop before has run when this returns.
  void Settle() {
    thread_.Do([] {});
  }

  net::LoopThread thread_;
  Watchers watchers_;
};

TEST_F(WatchersTest, TellsThoseOfTheTransactionThatChanged) {
  const auto first = Add("a");
  const auto second = Add("a");
  const auto other = Add("b");
  watchers_.OnChanged("a");
  watchers_.OnChanged("unknown");
  Settle();
  EXPECT_EQ(first->looks, 1);
  EXPECT_EQ(second->looks, 1);
  EXPECT_EQ(other->looks, 0);
}

TEST_F(WatchersTest, TellsNobodyWhoHasLeft) {
  const auto gone = Add("a");
  const auto stays = Add("a");
  watchers_.Remove("a", *gone);
  watchers_.OnChanged("a");
  Settle();
  EXPECT_EQ(gone->looks, 0);
  EXPECT_EQ(stays->looks, 1);
}

TEST_F(WatchersTest, WakesAll) {
  const auto a = Add("a");
  const auto b = Add("b");
  watchers_.WakeAll();
  Settle();
  EXPECT_EQ(a->looks, 1);
  EXPECT_EQ(b->looks, 1);
}

TEST_F(WatchersTest, TakesNoMoreThanTheLimit) {
  const auto watcher = std::make_shared<CountingWatcher>(thread_.loop());
  for (size_t i = 0; i < limits::kWatchersMax; ++i) ASSERT_TRUE(watchers_.Add("a", watcher));
  EXPECT_FALSE(watchers_.Add("a", watcher));
  watchers_.Remove("a", *watcher);
  EXPECT_TRUE(watchers_.Add("a", watcher));
}

}  // namespace
}  // namespace troth
