// sim: runs seeds of the simulator and tells what they found.

#include <chrono>
#include <fstream>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "base/text.h"
#include "report.h"
#include "world.h"

namespace troth::sim {
namespace {

struct Options {
  uint64_t first_seed = 1;
  uint64_t seeds = 0;
  double minutes = 0;
  std::string bug;
  bool all_bugs = false;
  bool show = false;
  bool on_disk = false;
  std::string log_directory = ".";
};

// Runs the seed once more with its log kept.
void ShowFailure(uint64_t seed, Bug bug, const Options& options) {
  const SeedResult again = RunSeed(seed, bug, /*keep_log=*/true, options.on_disk);
  const std::string file = Cat(options.log_directory, "/seed-", seed, ".log");
  std::ofstream(file) << again.log;
  std::cout << FailureText(again, bug, options.on_disk, file);
}

// The first seed that fails with the bug, counted from 1; 0: none within the bound.
uint64_t SeedsUntilCaught(const BugInfo& info, uint64_t first_seed, std::string* violation) {
  for (uint64_t i = 0; i < info.seeds; ++i) {
    const SeedResult result = RunSeed(first_seed + i, info.bug, /*keep_log=*/false);
    if (result.violations.empty()) continue;
    *violation = result.violations.front();
    return i + 1;
  }
  return 0;
}

int RunAllBugs(const Options& options) {
  int missed = 0;
  for (const BugInfo& info : AllBugs()) {
    std::string violation;
    const uint64_t seeds = SeedsUntilCaught(info, options.first_seed, &violation);
    if (seeds == 0) ++missed;
    std::cout << (seeds == 0 ? "MISSED " : "caught ") << info.name << " (" << info.meaning << "): "
              << (seeds == 0 ? Cat("not within ", info.seeds, " seeds")
                             : Cat("seed ", seeds, " of ", info.seeds, ": ", violation))
              << "\n";
  }
  std::cout << AllBugs().size() - static_cast<size_t>(missed) << " of " << AllBugs().size()
            << " planted bugs caught\n";
  return missed == 0 ? 0 : 1;
}

int RunSeeds(const Options& options, Bug bug) {
  if (options.show) {
    std::cout << RunSeed(options.first_seed, bug, /*keep_log=*/true, options.on_disk).log;
    return 0;
  }
  using SteadyClock = std::chrono::steady_clock;
  const auto start = SteadyClock::now();
  const auto elapsed = [start] {
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
  };
  Report report;
  const bool timed = options.minutes > 0;
  const uint64_t seeds = options.seeds > 0 ? options.seeds : 1;
  bool failed = false;
  for (uint64_t i = 0; timed ? elapsed() < options.minutes * 60 : i < seeds; ++i) {
    const SeedResult result =
        RunSeed(options.first_seed + i, bug, /*keep_log=*/false, options.on_disk);
    report.Add(result);
    if (result.violations.empty()) continue;
    failed = true;
    ShowFailure(result.seed, bug, options);
    break;
  }
  std::cout << report.Text() << "took " << static_cast<int64_t>(elapsed() * 1000) << " ms\n";
  return failed ? 1 : 0;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs troth's deterministic simulator. The same seed does the same, byte for byte.");
  app.add_option("--seed", options.first_seed, "the first seed (1)");
  app.add_option("--seeds", options.seeds, "how many seeds, one after the other (1)");
  app.add_option("--minutes", options.minutes, "go on for so long instead");
  app.add_option("--bug", options.bug, "plant this bug");
  app.add_flag("--bugs", options.all_bugs, "plant every bug, one at a time; each must be caught");
  app.add_flag("--show", options.show, "print what happens in the first seed, and no tables");
  app.add_flag("--rocksdb",
               options.on_disk,
               "one server, its store over RocksDB on a disk that loses power");
  app.add_option("--logs", options.log_directory, "where the log of a failed seed goes (.)");
  CLI11_PARSE(app, argc, argv);
  // What the product would log is not what a run is about.
  if (!ConfigureLog({.level = LogLevel::kError, .outputs = "/dev/null"}).ok()) return 2;
  if (options.all_bugs) return RunAllBugs(options);
  if (options.bug.empty()) return RunSeeds(options, Bug::kNone);
  if (const std::optional<Bug> bug = ParseBug(options.bug)) return RunSeeds(options, *bug);
  std::cerr << "there is no bug " << options.bug << "; there are:\n";
  for (const BugInfo& info : AllBugs())
    std::cerr << "  " << info.name << ": " << info.meaning << "\n";
  return 2;
}

}  // namespace
}  // namespace troth::sim

int main(int argc, char** argv) { return troth::sim::Main(argc, argv); }
