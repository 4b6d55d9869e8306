#pragma once
// Goals, what was found for each, and whether it is met.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/figures.h"

namespace troth::bench {

class GoalList {
 public:
  // `found` is compared by its median; nothing found is not met.
  void AtLeast(std::string what,
               double wanted,
               const std::optional<Spread>& found,
               std::string_view unit);
  void AtMost(std::string what,
              double wanted,
              const std::optional<Spread>& found,
              std::string_view unit);

  std::string Table() const;
  std::string Json() const;

 private:
  struct Goal {
    std::string what;
    std::string wanted;  // ">= 50000 tx/s"
    std::string found;   // with its spread
    bool met = false;
  };

  void Add(std::string what,
           std::string wanted,
           const std::optional<Spread>& found,
           std::string_view unit,
           const std::function<bool(double)>& met);

  std::vector<Goal> goals_;
};

// A figure in a line of text: three decimals below ten, none above.
std::string FigureText(double value);

}  // namespace troth::bench
