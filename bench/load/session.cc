#include "bench/load/session.h"

#include <optional>
#include <utility>

#include "base/free_port.h"
#include "base/text.h"
#include "bench/measure/allocation_counter.h"

namespace troth::bench {
namespace {

// The allocations per transaction of a server that counts them: slower, so for nothing else.
StatusOr<double> CountAllocations(const SessionOptions& options) {
  ServerOptions with_counter = options.server;
  with_counter.directory += "-allocations";
  with_counter.preload = options.preload;
  with_counter.allocations_path = with_counter.directory + ".count";
  TROTH_ASSIGN_OR_RETURN(const AllocationCounter counter,
                         AllocationCounter::Make(with_counter.allocations_path));
  TROTH_ASSIGN_OR_RETURN(const OwnServer server, OwnServer::Start(with_counter));
  LoadOptions load = options.load;
  load.seconds = options.counting_seconds;
  load.allocations = &counter;
  TROTH_ASSIGN_OR_RETURN(const Figures figures, RunLoad(load, server.target()));
  return figures.at(Measure::kAllocations);
}

// What slows the server down is measured beside runs of its own.
Status AddCounts(const SessionOptions& options, const Target& target, Summary& summary) {
  if (options.counting_seconds <= 0) return OkStatus();
  LoadOptions load = options.load;
  load.seconds = options.counting_seconds;
  load.count_kernel = true;
  TROTH_ASSIGN_OR_RETURN(const Figures figures, RunLoad(load, target));
  Figures counts;
  for (const Measure measure : {Measure::kSyscalls, Measure::kSyncs}) {
    if (const auto found = figures.find(measure); found != figures.end()) counts.insert(*found);
  }
  summary.Add(counts);
  return OkStatus();
}

}  // namespace

StatusOr<OwnServer> OwnServer::Start(ServerOptions options) {
  options.grpc_port = FreePort();
  options.http_port = FreePort();
  TROTH_ASSIGN_OR_RETURN(ServerProcess process, ServerProcess::Start(options));
  const Target target{.name = "troth",
                      .grpc = Cat("127.0.0.1:", options.grpc_port),
                      .http = Cat("127.0.0.1:", options.http_port),
                      .pid = process.pid()};
  return OwnServer(std::move(process), target);
}

StatusOr<std::vector<TargetSummary>> RunSession(const SessionOptions& options) {
  std::optional<OwnServer> own;
  std::vector<Target> targets = options.targets;
  if (targets.empty()) {
    TROTH_ASSIGN_OR_RETURN(OwnServer started, OwnServer::Start(options.server));
    own.emplace(std::move(started));
    targets.push_back(own->target());
  }
  std::vector<TargetSummary> summaries;
  for (const Target& target : targets) summaries.push_back({.name = target.name});
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    for (size_t i = 0; i < targets.size(); ++i) {
      TROTH_ASSIGN_OR_RETURN(const Figures figures, RunLoad(options.load, targets[i]));
      summaries[i].summary.Add(figures);
    }
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    TROTH_RETURN_IF_ERROR(AddCounts(options, targets[i], summaries[i].summary));
  }
  if (own && !options.preload.empty()) {
    own.reset();
    TROTH_ASSIGN_OR_RETURN(const double allocations, CountAllocations(options));
    summaries.front().summary.Add({{Measure::kAllocations, allocations}});
  }
  return summaries;
}

StatusOr<Target> ParseTarget(const std::string& text) {
  Target target{.name = text};
  for (const std::string_view part : Split(text, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return InvalidArgument(Cat("'", part, "' in ", text, " should be name=value"));
    }
    const std::string_view key = part.substr(0, equals);
    const std::string value(part.substr(equals + 1));
    if (key == "grpc") {
      target.grpc = value;
    } else if (key == "http") {
      target.http = value;
    } else if (key == "name") {
      target.name = value;
    } else if (key == "pid") {
      target.pid = static_cast<pid_t>(ParseInt(value).value_or(0));
    } else if (key == "store-pid") {
      target.store_pid = static_cast<pid_t>(ParseInt(value).value_or(0));
    } else {
      return InvalidArgument(Cat("'", key, "' is none of grpc, http, pid, store-pid, name"));
    }
  }
  return target;
}

}  // namespace troth::bench
