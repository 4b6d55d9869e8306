#include "bench/load/goals.h"

#include <cstdio>
#include <utility>

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr size_t kWhatWidth = 54;
constexpr size_t kWantedWidth = 30;
constexpr size_t kFoundWidth = 40;

}  // namespace

std::string FigureText(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), value < 10 ? "%.3f" : "%.0f", value);
  return text;
}

void GoalList::AtLeast(std::string what,
                       double wanted,
                       const std::optional<Spread>& found,
                       std::string_view unit) {
  Add(std::move(what),
      Cat(">= ", FigureText(wanted), " ", unit),
      found,
      unit,
      [wanted](double value) { return value >= wanted; });
}

void GoalList::AtMost(std::string what,
                      double wanted,
                      const std::optional<Spread>& found,
                      std::string_view unit) {
  Add(std::move(what),
      Cat("<= ", FigureText(wanted), " ", unit),
      found,
      unit,
      [wanted](double value) { return value <= wanted; });
}

void GoalList::Add(std::string what,
                   std::string wanted,
                   const std::optional<Spread>& found,
                   std::string_view unit,
                   const std::function<bool(double)>& met) {
  Goal goal{.what = std::move(what), .wanted = std::move(wanted), .found = "not measured"};
  if (found) {
    goal.found = Cat(FigureText(found->median), " ", unit);
    if (found->runs > 1)
      CatTo(goal.found, " (", FigureText(found->min), " .. ", FigureText(found->max), ")");
    goal.met = met(found->median);
  }
  goals_.push_back(std::move(goal));
}

std::string GoalList::Table() const {
  std::string table;
  for (const Goal& goal : goals_) {
    CatTo(table,
          Padded(goal.what, kWhatWidth),
          Padded(goal.wanted, kWantedWidth),
          Padded(goal.found, kFoundWidth),
          goal.met ? "met" : "NOT MET",
          "\n");
  }
  return table;
}

std::string GoalList::Json() const {
  std::vector<std::string> members;
  for (const Goal& goal : goals_) {
    members.push_back(Cat(R"({"goal":")",
                          goal.what,
                          R"(","wanted":")",
                          goal.wanted,
                          R"(","found":")",
                          goal.found,
                          R"(","met":)",
                          goal.met ? "true" : "false",
                          "}"));
  }
  return Cat("[", JoinText(members, ",\n "), "]\n");
}

}  // namespace troth::bench
