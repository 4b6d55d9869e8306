// bench_goals: measures every goal of docs/performance.md, in less than two minutes unless asked
// for more, and says which are met.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/text.h"
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
  const StatusOr<GoalReport> report = MeasureGoals(options);
  if (!report.ok()) return Fail(report.status());
  const auto sync_micros = report->machine.fdatasync_p50.count();
  const auto loop_micros = report->machine.cpu_loop.count();
  std::puts(Cat("this machine now: fdatasync p50 ",
                sync_micros,
                " us; 10 million steps of a CPU loop ",
                loop_micros,
                " us")
                .c_str());
  std::fputs(report->goals.Table().c_str(), stdout);
  if (json_path.empty()) return 0;
  const std::string json = Cat(R"({"fdatasync_p50_us":)",
                               sync_micros,
                               R"(,"cpu_loop_us":)",
                               loop_micros,
                               R"(,"goals":)",
                               report->goals.Json(),
                               "}\n");
  const Status written = WriteFile(json_path, json);
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
  app.add_option("--only", options.only, "parts whose name has this in it, such as \"wait\"");
  app.add_option("--json-file", json_path, "where the figures go as JSON");
  CLI11_PARSE(app, argc, argv);
  return troth::bench::Main(options, json_path);
}
