#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace troth::net {

namespace {

// Distance from `from` (exclusive) to the next set bit of `bits`, going round: 1..64.
unsigned StepsToNextBit(uint64_t bits, unsigned from) {
  return static_cast<unsigned>(std::countr_zero(std::rotr(bits, static_cast<int>(from + 1)))) + 1;
}

}  // namespace

TimerWheel::TimerWheel() {
  for (auto& level : heads_) {
    for (Timer& head : level) head.next_ = head.prev_ = &head;
  }
}

TimerWheel::~TimerWheel() {
  for (auto& level : heads_) {
    for (Timer& head : level) {
      while (head.next_ != &head) Unlink(*head.next_);
      head.next_ = head.prev_ = nullptr;
    }
  }
}

void TimerWheel::Arm(Timer& timer, uint64_t due_tick) {
  Unlink(timer);
  timer.due_tick_ = std::clamp(due_tick, now_ + 1, now_ + kSpanTicks - 1);
  Link(timer);
}

void TimerWheel::Unlink(Timer& timer) {
  if (timer.next_ == nullptr) return;
  timer.prev_->next_ = timer.next_;
  timer.next_->prev_ = timer.prev_;
  timer.next_ = timer.prev_ = nullptr;
}

// A timer lies in the level of the highest 6-bit digit in which its tick differs from now's.
void TimerWheel::Link(Timer& timer) {
  const uint64_t differing = timer.due_tick_ ^ now_;
  const unsigned highest_bit = differing == 0 ? 0 : 63U - std::countl_zero(differing);
  const unsigned level = std::min(highest_bit / kSlotBits, kLevels - 1);
  const unsigned slot = (timer.due_tick_ >> (level * kSlotBits)) & (kSlots - 1);
  occupied_[level] |= uint64_t{1} << slot;
  Timer& head = heads_[level][slot];
  timer.prev_ = head.prev_;
  timer.next_ = &head;
  head.prev_->next_ = &timer;
  head.prev_ = &timer;
}

void TimerWheel::Advance(uint64_t tick) {
  while (now_ < tick) {
    const std::optional<uint64_t> next = NextTick();
    if (!next || *next > tick) {
      now_ = tick;
      return;
    }
    now_ = *next;
    // From the top, so that what falls due right now arrives at level 0 before it fires.
    for (unsigned level = kLevels - 1; level > 0; --level) {
      const uint64_t lower_digits = (uint64_t{1} << (level * kSlotBits)) - 1;
      if ((now_ & lower_digits) == 0) Cascade(level);
    }
    FireSlot(now_ & (kSlots - 1));
  }
}

void TimerWheel::Cascade(unsigned level) {
  const unsigned slot = (now_ >> (level * kSlotBits)) & (kSlots - 1);
  occupied_[level] &= ~(uint64_t{1} << slot);
  Timer& head = heads_[level][slot];
  while (head.next_ != &head) {
    Timer& timer = *head.next_;
    Unlink(timer);
    Link(timer);
  }
}

void TimerWheel::FireSlot(unsigned slot) {
  occupied_[0] &= ~(uint64_t{1} << slot);
  Timer& head = heads_[0][slot];
  while (head.next_ != &head) {
    Timer& timer = *head.next_;
    Unlink(timer);
    if (timer.on_fire_) timer.on_fire_();  // may destroy the timer
  }
}

std::optional<uint64_t> TimerWheel::NextTick() {
  std::optional<uint64_t> next;
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::optional<uint64_t> tick = NextTickOf(level);
    if (tick && (!next || *tick < *next)) next = tick;
  }
  return next;
}

std::optional<uint64_t> TimerWheel::NextTickOf(unsigned level) {
  const unsigned shift = level * kSlotBits;
  const unsigned position = (now_ >> shift) & (kSlots - 1);
  while (occupied_[level] != 0) {
    const unsigned steps = StepsToNextBit(occupied_[level], position);
    const unsigned slot = (position + steps) & (kSlots - 1);
    const Timer& head = heads_[level][slot];
    if (head.next_ != &head) return ((now_ >> shift) + steps) << shift;
    occupied_[level] &= ~(uint64_t{1} << slot);  // its timers were cancelled
  }
  return std::nullopt;
}

}  // namespace troth::net
