#pragma once
// Which of a target's endpoints gets the next call. For one thread.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/random.h"
#include "discovery/ejection.h"

namespace troth {

enum class Balance : uint8_t { kRoundRobin, kLeastLoaded };

// What the choice knows of an endpoint; whoever keeps the endpoint keeps this.
struct BalanceState {
  int64_t weight = 100;  // its share of the calls, at least 1
  int64_t credit = 0;    // the balancer's own
  Ejection ejection;
};

// A Slot has `BalanceState balance` and `size_t calls_in_flight() const`.
template <typename Slot>
class Balancer {
 public:
  using Time = Ejection::Time;

  Balancer(Balance kind, Random random) : kind_(kind), random_(random) {}

  // One of `slots`; null when there are none. Ejected ones and `avoid` only when there is no other.
  Slot* Pick(const std::vector<Slot*>& slots, const Slot* avoid, Time now) {
    const auto usable = [&](const Slot& slot) { return slot.balance.ejection.Usable(now); };
    const auto wanted = [&](const Slot& slot) { return &slot != avoid && usable(slot); };
    Slot* picked = kind_ == Balance::kLeastLoaded ? PickOfTwo(slots, wanted) : nullptr;
    if (picked == nullptr) picked = PickInTurn(slots, wanted);
    if (picked == nullptr) picked = PickInTurn(slots, usable);
    if (picked == nullptr) picked = PickInTurn(slots, [](const Slot&) { return true; });
    if (picked != nullptr) picked->balance.ejection.OnPicked(now);
    return picked;
  }

 private:
  // Smooth weighted round robin: everyone earns its weight, the richest pays for all.
  template <typename Filter>
  static Slot* PickInTurn(const std::vector<Slot*>& slots, const Filter& filter) {
    Slot* richest = nullptr;
    int64_t total = 0;
    for (Slot* slot : slots) {
      if (!filter(*slot)) continue;
      BalanceState& state = slot->balance;
      state.credit += state.weight;
      total += state.weight;
      if (richest == nullptr || state.credit > richest->balance.credit) richest = slot;
    }
    if (richest != nullptr) richest->balance.credit -= total;
    return richest;
  }

  // The one with less to do, for its weight, of two different ones chosen by chance; null when that
  // does not find one at once. Were they drawn with return, as gRPC does, the slower of two
  // endpoints would get a quarter of the calls however busy it is.
  template <typename Filter>
  Slot* PickOfTwo(const std::vector<Slot*>& slots, const Filter& filter) {
    if (slots.empty()) return nullptr;
    const size_t first = random_.Below(slots.size());
    const size_t step = 1 + random_.Below(slots.size() - 1);
    Slot* a = slots[first];
    Slot* b = slots[(first + step) % slots.size()];
    if (!filter(*a)) std::swap(a, b);
    if (!filter(*a)) return nullptr;
    if (!filter(*b)) return a;
    return Load(*a) * b->balance.weight <= Load(*b) * a->balance.weight ? a : b;
  }
  static int64_t Load(const Slot& slot) { return static_cast<int64_t>(slot.calls_in_flight()) + 1; }

  const Balance kind_;
  Random random_;
};

}  // namespace troth
