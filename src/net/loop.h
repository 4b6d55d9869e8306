#pragma once
// One thread's event loop: sockets, timers, posted work. A turn handles whatever is ready, then
// runs the turn-end hooks (this is where each connection writes everything gathered in the turn
// with one system call), then waits.
//
// Thread rules: Post, Stop are for any thread; everything else is for the loop's own thread, or
// before Run.

#include <cstdint>
#include <functional>
#include <memory>

#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace troth::net {

class Loop;

// Work to do once at the end of the current turn. Owned by whoever derives from it; destroying it
// cancels.
class TurnEndHook {
 public:
  TurnEndHook() = default;
  TurnEndHook(const TurnEndHook&) = delete;
  TurnEndHook& operator=(const TurnEndHook&) = delete;
  virtual ~TurnEndHook();
  // Called once per Loop::AtTurnEnd. May ask for the next turn's end again.
  virtual void OnTurnEnd() = 0;

 private:
  friend class Loop;
  Loop* queued_on_ = nullptr;
  size_t queue_index_ = 0;
};

// A cheap timer: arming and cancelling are O(1) and allocate nothing. Delays count from
// Loop::turn_time(); it fires up to kTimerResolution late, never early. Owned by its user;
// destroying it cancels, also from within its own callback. Made for deadlines, which nearly always
// get cancelled.
class Timer {
 public:
  explicit Timer(Loop& loop, std::function<void()> on_fire = nullptr);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  void set_callback(std::function<void()> on_fire) { on_fire_ = std::move(on_fire); }
  // (Re)arms; an earlier arming is forgotten.
  void ArmAfter(Duration delay);
  void Cancel();
  bool armed() const { return next_ != nullptr; }

 private:
  friend class TimerWheel;
  Timer() = default;  // a list head inside the wheel
  Loop* loop_ = nullptr;
  Timer* next_ = nullptr;  // intrusive list of its wheel slot
  Timer* prev_ = nullptr;
  uint64_t due_tick_ = 0;
  std::function<void()> on_fire_;
};

inline constexpr Duration kTimerResolution = std::chrono::milliseconds(4);

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs turns on the calling thread until Stop.
  void Run();
  // Ends Run soon; what was posted before still runs first.
  void Stop();
  // Runs `work` on the loop's thread in a later turn (also when called from that thread). Never
  // blocks.
  void Post(std::function<void()> work);
  // Asks for hook.OnTurnEnd() at the end of this turn; asking twice in a turn is the same as once.
  void AtTurnEnd(TurnEndHook& hook);
  // True on the thread that is inside Run.
  bool OnLoopThread() const;

  boost::asio::io_context& io();

  // Time as of the start of this turn, from a monotonic clock: for deadlines, not for storing.
  std::chrono::steady_clock::time_point turn_time() const;

 private:
  friend class TurnEndHook;
  friend class Timer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troth::net
