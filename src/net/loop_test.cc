#include "net/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/timer_wheel.h"

namespace troth::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class RecordingHook final : public TurnEndHook {
 public:
  explicit RecordingHook(std::function<void()> action) : action_(std::move(action)) {}
  void OnTurnEnd() override { action_(); }

 private:
  std::function<void()> action_;
};

TEST(Loop, RunsPostedWorkInOrderAndStopsAfterIt) {
  Loop loop;
  std::string order;
  loop.Post([&] { order += "a"; });
  loop.Post([&] { order += "b"; });
  loop.Stop();
  loop.Run();
  EXPECT_EQ(order, "ab");
}

TEST(Loop, RunsWorkPostedFromTheLoopInALaterTurn) {
  Loop loop;
  std::string order;
  RecordingHook hook([&] { order += "|"; });
  loop.Post([&] {
    loop.AtTurnEnd(hook);
    loop.Post([&] {
      order += "b";
      loop.Stop();
    });
    order += "a";
  });
  loop.Run();
  EXPECT_EQ(order, "a|b");
}

TEST(Loop, CallsAHookOnceATurnHoweverOftenItWasAskedFor) {
  Loop loop;
  int calls = 0;
  RecordingHook hook([&] { ++calls; });
  loop.Post([&] {
    loop.AtTurnEnd(hook);
    loop.AtTurnEnd(hook);
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  EXPECT_EQ(calls, 1);
}

TEST(Loop, AHookMayAskForTheNextTurnsEnd) {
  Loop loop;
  int calls = 0;
  RecordingHook* self = nullptr;
  RecordingHook hook([&] {
    if (++calls < 3) return loop.AtTurnEnd(*self);
    loop.Stop();
  });
  self = &hook;
  loop.AtTurnEnd(hook);
  loop.Run();
  EXPECT_EQ(calls, 3);
}

TEST(Loop, ADestroyedHookIsNotCalled) {
  Loop loop;
  int calls = 0;
  auto second = std::make_unique<RecordingHook>([&] { ++calls; });
  auto third = std::make_unique<RecordingHook>([&] { ++calls; });
  RecordingHook first([&] { third.reset(); });
  loop.Post([&] {
    loop.AtTurnEnd(first);
    loop.AtTurnEnd(*second);
    loop.AtTurnEnd(*third);
    second.reset();
    loop.Stop();
  });
  loop.Run();
  EXPECT_EQ(calls, 0);
}

TEST(Loop, ReachesTheTurnsEndAlthoughCompletionsKeepComing) {
  Loop loop;
  bool ended = false;
  RecordingHook hook([&] { ended = true; });
  std::function<void()> again = [&] {
    if (ended) return loop.Stop();
    boost::asio::post(loop.io(), again);
  };
  loop.AtTurnEnd(hook);
  boost::asio::post(loop.io(), again);
  loop.Run();
  EXPECT_TRUE(ended);
}

TEST(Loop, WakesForWorkFromAnotherThread) {
  Loop loop;
  std::atomic<bool> on_loop = false;
  std::thread runner([&] { loop.Run(); });
  EXPECT_FALSE(loop.OnLoopThread());
  for (int i = 0; i < 1000; ++i) {
    std::atomic<bool> ran = false;
    loop.Post([&] {
      on_loop = loop.OnLoopThread();
      ran = true;
      ran.notify_one();
    });
    ran.wait(false);
  }
  loop.Stop();
  runner.join();
  EXPECT_TRUE(on_loop);
}

TEST(Loop, ATimerFiresNotEarlyAndAtMostAResolutionLateWhenIdle) {
  Loop loop;
  const auto start = steady_clock::now();
  Timer timer(loop, [&] { loop.Stop(); });
  timer.ArmAfter(milliseconds(30));
  EXPECT_TRUE(timer.armed());
  loop.Run();
  EXPECT_FALSE(timer.armed());
  EXPECT_GE(steady_clock::now() - start, milliseconds(30));
}

TEST(Loop, TimersFireInTheOrderOfTheirTimes) {
  Loop loop;
  std::string order;
  Timer late(loop, [&] {
    order += "late";
    loop.Stop();
  });
  Timer cancelled(loop, [&] { order += "cancelled "; });
  Timer early(loop, [&] { order += "early "; });
  late.ArmAfter(milliseconds(40));
  cancelled.ArmAfter(milliseconds(20));
  early.ArmAfter(milliseconds(400));
  early.ArmAfter(milliseconds(10));  // the later arming counts
  cancelled.Cancel();
  loop.Run();
  EXPECT_EQ(order, "early late");
}

TEST(Loop, ATimerMayDestroyItselfAndOthers) {
  Loop loop;
  auto other = std::make_unique<Timer>(loop, [] { FAIL() << "destroyed before it was due"; });
  auto self = std::make_unique<Timer>(loop);
  self->set_callback([&] {
    other.reset();
    loop.Stop();
    self.reset();
  });
  self->ArmAfter(milliseconds(1));
  other->ArmAfter(milliseconds(1));
  loop.Run();
  EXPECT_EQ(self, nullptr);
}

// The wheel itself is driven by hand: days pass in microseconds.
class TimerWheelTest : public ::testing::Test {
 protected:
  std::unique_ptr<Timer> NewTimer(uint64_t due) {
    auto timer = std::make_unique<Timer>(loop_, [this, due] { fired_.push_back({now_, due}); });
    wheel_.Arm(*timer, due);
    return timer;
  }
  void AdvanceTo(uint64_t tick) {
    // Tick by tick where something happens, so that fired_ tells when.
    while (true) {
      const std::optional<uint64_t> next = wheel_.NextTick();
      now_ = next && *next < tick ? *next : tick;
      wheel_.Advance(now_);
      if (now_ == tick) return;
    }
  }

  Loop loop_;
  TimerWheel wheel_;
  uint64_t now_ = 0;
  std::vector<std::pair<uint64_t, uint64_t>> fired_;  // when, due
};

TEST_F(TimerWheelTest, FiresEveryTimerExactlyAtItsTickOnEveryLevel) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (const uint64_t start : {0U, 63U, 4095U, 262143U, 20000000U}) {
    AdvanceTo(start);
    for (const uint64_t delay :
         {1U, 2U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 262144U, 300001U, 16777216U, 900000000U}) {
      timers.push_back(NewTimer(start + delay));
    }
    AdvanceTo(start + 1);
  }
  AdvanceTo(2000000000);
  EXPECT_EQ(fired_.size(), timers.size());
  for (const auto& [when, due] : fired_) EXPECT_EQ(when, due);
  EXPECT_EQ(wheel_.NextTick(), std::nullopt);
}

TEST_F(TimerWheelTest, ATickAlreadyPassedMeansTheNextOne) {
  AdvanceTo(1000);
  const auto timer = NewTimer(10);
  AdvanceTo(1001);
  ASSERT_EQ(fired_.size(), 1U);
  EXPECT_EQ(fired_[0].first, 1001U);
}

TEST_F(TimerWheelTest, ForgetsCancelledTimers) {
  auto timer = NewTimer(5000);
  timer.reset();
  EXPECT_EQ(wheel_.NextTick(), std::nullopt);
}

}  // namespace
}  // namespace troth::net
