// bench_load: drives a server with one scenario and says what a transaction costs. It plays the
// clients and the services, on a core of its own. Without a target it starts build/release/troth
// on another core, embedded store, every commit synced.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "base/text.h"
#include "bench/load/report.h"
#include "bench/load/session.h"

namespace troth::bench {
namespace {

struct CommandLine {
  SessionOptions session;
  std::vector<std::string> targets;
  std::vector<std::string> against;
  int generator_core = 1;
  std::string json_path;
  bool json_only = false;
};

int Fail(const Status& status) {
  std::fprintf(stderr, "%s\n", std::string(Message(status)).c_str());
  return 1;
}

int Main(CommandLine& line) {
  PinToCores({line.generator_core});
  for (const auto* texts : {&line.targets, &line.against}) {
    for (const std::string& text : *texts) {
      StatusOr<Target> target = ParseTarget(text);
      if (!target.ok()) return Fail(target.status());
      line.session.targets.push_back(*std::move(target));
    }
  }
  const StatusOr<std::vector<TargetSummary>> summaries = RunSession(line.session);
  if (!summaries.ok()) return Fail(summaries.status());
  const std::string json = Json(line.session, *summaries);
  std::fputs(line.json_only ? json.c_str() : Table(line.session, *summaries).c_str(), stdout);
  if (line.json_path.empty()) return 0;
  const Status written = WriteFile(line.json_path, json);
  return written.ok() ? 0 : Fail(written);
}

void AddLoadOptions(CLI::App& app, LoadOptions& load) {
  app.add_option("scenario", load.scenario, JoinText(ScenarioNames(), ", "))->capture_default_str();
  app.add_option("--in-flight", load.in_flight, "closed loop: open transactions")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--rate", load.rate, "open loop: transactions a second");
  app.add_option("--connections", load.connections, "to the server; 0: 2, HTTP: one a transaction");
  app.add_option("--warmup", load.warmup_seconds, "seconds")->capture_default_str();
  app.add_option("--seconds", load.seconds, "of each run")->capture_default_str();
  app.add_option("--transactions", load.transactions, "instead of seconds");
  app.add_option("--profile", load.profile_path, "where perf records the server");
}

void AddServerOptions(CLI::App& app, CommandLine& line) {
  ServerOptions& server = line.session.server;
  app.add_option("--binary", server.binary, "the server to start")->capture_default_str();
  app.add_option("--dir", server.directory, "for its store; emptied")->capture_default_str();
  app.add_option("--server-core", server.cores, "may be given more than once");
  app.add_option("--shards", server.shards)->capture_default_str();
  app.add_option("--count-allocations", line.session.preload, "with this library, in a run more");
  app.add_option("--target", line.targets, "a running server: grpc=H:P,http=H:P,pid=N,store-pid=N");
  app.add_option("--against", line.against, "another one, measured in turns with --target");
  app.add_option("--generator-core", line.generator_core)->capture_default_str();
}

void AddReportOptions(CLI::App& app, CommandLine& line) {
  app.add_option("--repeats", line.session.repeats)->capture_default_str();
  app.add_option("--counting", line.session.counting_seconds, "seconds of a run that counts calls")
      ->capture_default_str();
  app.add_option("--json-file", line.json_path, "where the figures go as JSON");
  app.add_flag("--json", line.json_only, "print JSON instead of a table");
}

}  // namespace
}  // namespace troth::bench

int main(int argc, char** argv) {
  troth::bench::CommandLine line;
  line.session.server.binary = "build/release/troth";
  line.session.server.directory = "build/bench/server";
  CLI::App app("One scenario against one server");
  troth::bench::AddLoadOptions(app, line.session.load);
  troth::bench::AddServerOptions(app, line);
  troth::bench::AddReportOptions(app, line);
  CLI11_PARSE(app, argc, argv);
  return troth::bench::Main(line);
}
