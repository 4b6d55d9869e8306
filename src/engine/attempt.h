#pragma once
// What is remembered of a branch call that was not a success, for people who ask why a transaction
// does not go on. It decides nothing.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/outcome.h"

namespace troth {

// Instead of a row: the check-back of a msg, the callback of a workflow.
inline constexpr uint32_t kCallbackAttempt = UINT32_MAX;

struct Attempt {
  uint32_t row = 0;  // position in Transaction::branches, or kCallbackAttempt
  BranchOutcome outcome = BranchOutcome::kUnknown;
  TimePoint time{};  // when it ended
  Duration latency{};
  std::string error{};                  // the service's text, cut
  std::optional<TimePoint> next_try{};  // as planned then; nothing: not called again
  bool held_back = false;               // not called: nobody answers there

  bool operator==(const Attempt&) const = default;
};

struct AttemptBounds {
  size_t per_row = 0;
  size_t in_all = 0;
};

// Adds the newest. Past a bound the oldest goes: the row's, or the transaction's. Of calls that
// were held back each row keeps the last alone, and they make room before real ones do.
void AddAttempt(std::vector<Attempt>& attempts, Attempt attempt, const AttemptBounds& bounds);

}  // namespace troth
