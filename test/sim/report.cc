#include "report.h"

#include "base/text.h"

namespace troth::sim {
namespace {

constexpr size_t kNameWidth = 50;
constexpr size_t kLinesShown = 25;

std::string Row(std::string_view name, uint64_t count) {
  std::string row = Cat("  ", name);
  if (row.size() < kNameWidth) row.resize(kNameWidth, ' ');
  return Cat(row, count, "\n");
}

std::string_view LastLines(std::string_view text, size_t lines) {
  size_t from = text.size();
  for (size_t i = 0; i <= lines && from != text.npos && from > 0; ++i) {
    from = text.rfind('\n', from - 1);
  }
  return from == text.npos || from == 0 ? text : text.substr(from + 1);
}

std::string BugOption(Bug bug) {
  for (const BugInfo& info : AllBugs()) {
    if (info.bug == bug) return Cat(" --bug ", info.name);
  }
  return {};
}

}  // namespace

void Report::Add(const SeedResult& result) {
  ++seeds_;
  transfers_ += result.transfers;
  steps_ += result.steps;
  simulated_ += result.simulated;
  for (size_t i = 0; i < kFaults; ++i) faults_[i] += result.faults[i];
  for (size_t i = 0; i < kMarks; ++i) marks_[i] += result.marks[i];
}

std::string Report::Text() const {
  std::string text = Row("seeds", seeds_);
  text += Row(
      "simulated hours",
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::hours>(simulated_).count()));
  text += Row("transactions", transfers_);
  text += Row("steps", steps_);
  text += "faults\n";
  for (size_t i = 0; i < kFaults; ++i) text += Row(FaultName(static_cast<Fault>(i)), faults_[i]);
  text += "reached\n";
  std::string missed;
  for (size_t i = 0; i < kMarks; ++i) {
    const std::string_view name = MarkName(static_cast<Mark>(i));
    if (marks_[i] > 0) text += Row(name, marks_[i]);
    if (marks_[i] == 0) missed += Cat("  ", name, "\n");
  }
  if (!missed.empty()) text += Cat("never reached\n", missed);
  return text;
}

std::string FailureText(const SeedResult& result,
                        Bug bug,
                        bool on_disk,
                        const std::string& log_file) {
  std::string text = Cat("FAILED seed ", result.seed, "\n");
  for (const std::string& violation : result.violations) text += Cat("  ", violation, "\n");
  text += Cat("the last of what happened (all of it: ", log_file, ")\n");
  text += LastLines(result.log, kLinesShown);
  const std::string_view disk = on_disk ? " --rocksdb" : "";
  return Cat(text, "repeat: ./dev sim --seed ", result.seed, disk, BugOption(bug), "\n");
}

}  // namespace troth::sim
