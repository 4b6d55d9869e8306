#include "engine/attempt.h"

#include <algorithm>
#include <utility>

namespace troth {
namespace {

// The first that satisfies the condition goes; false when there is none.
template <typename Condition>
bool EraseFirst(std::vector<Attempt>& attempts, Condition condition) {
  const auto found = std::ranges::find_if(attempts, condition);
  if (found == attempts.end()) return false;
  attempts.erase(found);
  return true;
}

}  // namespace

void AddAttempt(std::vector<Attempt>& attempts, Attempt attempt, const AttemptBounds& bounds) {
  const auto same_row = [row = attempt.row](const Attempt& one) { return one.row == row; };
  const auto held_back = [](const Attempt& one) { return one.held_back; };
  EraseFirst(attempts, [&](const Attempt& one) { return held_back(one) && same_row(one); });
  const auto of_row = static_cast<size_t>(std::ranges::count_if(attempts, same_row));
  const bool row_is_full = of_row >= bounds.per_row;
  const bool all_is_full = attempts.size() >= bounds.in_all;
  if (row_is_full || all_is_full) {
    const bool made_room = !row_is_full && EraseFirst(attempts, held_back);
    if (!made_room && attempt.held_back) return;
    if (!made_room && row_is_full) EraseFirst(attempts, same_row);
    if (!made_room && !row_is_full) attempts.erase(attempts.begin());
  }
  attempts.push_back(std::move(attempt));
}

}  // namespace troth
