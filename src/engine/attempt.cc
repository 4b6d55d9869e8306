#include "engine/attempt.h"

#include <algorithm>
#include <utility>

namespace troth {

void AddAttempt(std::vector<Attempt>& attempts, Attempt attempt, const AttemptBounds& bounds) {
  const auto same_row = [row = attempt.row](const Attempt& one) { return one.row == row; };
  const auto of_row = static_cast<size_t>(std::ranges::count_if(attempts, same_row));
  if (of_row >= bounds.per_row) {
    attempts.erase(std::ranges::find_if(attempts, same_row));
  } else if (attempts.size() >= bounds.in_all) {
    attempts.erase(attempts.begin());
  }
  attempts.push_back(std::move(attempt));
}

}  // namespace troth
