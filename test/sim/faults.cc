#include "faults.h"

#include <cmath>

namespace troth::sim {
namespace {

struct Kind {
  std::string_view name;
  double highest_rate;  // of the occasions it has
};

// In the order of Fault.
constexpr std::array<Kind, kFaults> kKinds = {{
    {"message lost", 0.2},
    {"message duplicated", 0.2},
    {"message delayed", 0.2},
    {"reply lost", 0.2},
    {"partition", 0.3},
    {"half open", 0.3},
    {"server crash", 0.4},
    {"server pause", 0.4},
    {"server drain", 0.3},
    {"clock jump", 0.4},
    {"clock drift", 0.5},
    {"store unknown, lost", 0.2},
    {"store unknown, stored", 0.2},
    {"store slow", 0.2},
    {"store full", 0.3},
    {"store crash", 0.4},
    {"store torn", 0.9},
    {"load failed", 0.3},
    {"claim failed", 0.3},
    {"claim late", 0.3},
    {"service crash", 0.4},
    {"service dies after doing", 0.3},
    {"service error", 0.3},
    {"service refuses", 0.3},
    {"service ongoing", 0.4},
    {"service hangs", 0.2},
    {"client vanishes", 0.3},
    {"client repeats", 0.3},
    {"operator resets", 0.5},
    {"operator stops", 0.05},
}};

}  // namespace

std::string_view FaultName(Fault fault) { return kKinds[static_cast<size_t>(fault)].name; }

Faults::Faults(Random& random) : random_(random) {
  for (size_t i = 0; i < kFaults; ++i) {
    const bool absent = random.OneIn(2);
    // Spread over two orders of magnitude.
    const double rate = kKinds[i].highest_rate * std::pow(10.0, -2.0 * random.Unit());
    rates_[i] = absent ? 0 : rate;
  }
}

bool Faults::Strikes(Fault fault) {
  const auto kind = static_cast<size_t>(fault);
  if (stopped_ || rates_[kind] <= 0 || random_.Unit() >= rates_[kind]) return false;
  ++hits_[kind];
  return true;
}

}  // namespace troth::sim
