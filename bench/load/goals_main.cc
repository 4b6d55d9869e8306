// bench_goals: measures every goal of docs/performance.md, in less than two minutes unless asked
// for more, and says which are met.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "bench/load/goal_runs.h"
#include "bench/load/report.h"

namespace troth::bench {
namespace {

int Fail(const Status& status) {
  std::fprintf(stderr, "%s\n", std::string(Message(status)).c_str());
  return 1;
}

int Main(const GoalOptions& options, const std::string& json_path) {
  PinToCores({options.generator_core});
  const StatusOr<GoalList> goals = MeasureGoals(options);
  if (!goals.ok()) return Fail(goals.status());
  std::fputs(goals->Table().c_str(), stdout);
  if (json_path.empty()) return 0;
  const Status written = WriteFile(json_path, goals->Json());
  return written.ok() ? 0 : Fail(written);
}

}  // namespace
}  // namespace troth::bench

int main(int argc, char** argv) {
  troth::bench::GoalOptions options;
  options.server.binary = "build/release/troth";
  options.server.directory = "build/bench/goals";
  std::string json_path;
  CLI::App app("The goals of docs/performance.md");
  app.add_option("--binary", options.server.binary, "the server")->capture_default_str();
  app.add_option("--dir", options.server.directory, "for its store; emptied")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each run")->capture_default_str();
  app.add_option("--repeats", options.repeats)->capture_default_str();
  app.add_option("--json-file", json_path, "where the figures go as JSON");
  CLI11_PARSE(app, argc, argv);
  return troth::bench::Main(options, json_path);
}
