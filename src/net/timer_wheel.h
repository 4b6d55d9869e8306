#pragma once
// Where armed timers wait: a hierarchical wheel of five levels with 64 slots each. Arming and
// cancelling only link and unlink; a timer moves down a level at most four times in its life, most
// are cancelled before.
//
// Counts in ticks; the loop turns time into ticks. For one thread.

#include <cstdint>
#include <optional>

#include "net/loop.h"

namespace troth::net {

class TimerWheel {
 public:
  TimerWheel();
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Links `timer` to fire once Advance reaches `due_tick`; a tick already passed means the next
  // one. Delays beyond the wheel's span (about 49 days of 4 ms ticks) are cut to it.
  void Arm(Timer& timer, uint64_t due_tick);
  static void Unlink(Timer& timer);

  // Moves on to `tick` and calls what is due on the way. Callbacks may arm, cancel and destroy any
  // timer.
  void Advance(uint64_t tick);

  // The next tick at which Advance has something to do; nothing when no timer is armed.
  std::optional<uint64_t> NextTick();

 private:
  static constexpr unsigned kLevels = 5;
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1U << kSlotBits;
  static constexpr uint64_t kSpanTicks = uint64_t{1} << (kLevels * kSlotBits);

  void Link(Timer& timer);
  void Cascade(unsigned level);
  void FireSlot(unsigned slot);
  std::optional<uint64_t> NextTickOf(unsigned level);

  Timer heads_[kLevels][kSlots];     // one list for each slot
  uint64_t occupied_[kLevels] = {};  // bit i: slot i may hold timers
  uint64_t now_ = 0;                 // the last tick advanced to
};

}  // namespace troth::net
