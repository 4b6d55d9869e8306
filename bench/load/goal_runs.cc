#include "bench/load/goal_runs.h"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "bench/load/session.h"

namespace troth::bench {
namespace {

constexpr double kThroughputAt64 = 50'000;
constexpr double kThroughputAt512 = 70'000;
constexpr double kCpuMicros = 18;
constexpr double kDiskBytes = 2'000;
constexpr double kSyncs = 0.05;
constexpr double kLatencyOverSyncs = 1.2;  // times the disk's fdatasync, and
constexpr double kLatencyOnTop = 150;      // so many microseconds more
constexpr double kHttpSagas = 15'000;
constexpr double kHalfLoadP99Micros = 20'000;
constexpr double kResidentMb = 100;
constexpr double kTwoCores = 1.6;
constexpr uint64_t kWaiting = 100'000;
constexpr double kBytesPerWaiting = 2'048;
constexpr int kTurnsPerRepeat = 4;  // of those who wait and those who do not
// What runs of the same binary differ by on a quiet machine: less is "not measurable".
constexpr double kNoise = 0.9;

class GoalRun {
 public:
  explicit GoalRun(const GoalOptions& options) : options_(options) {}

  Status Run();
  GoalReport Report() { return {.machine = calibration_, .goals = std::move(goals_)}; }

 private:
  Status MeasureCalibration();
  Status MeasureMessages();
  Status MeasureOneAtATime();
  Status MeasureHttpSagas();
  Status MeasureHalfLoad();
  Status MeasureManyInFlight();
  Status MeasureTwoCores();
  Status MeasureWaiting();
  Status MeasureBeside(const char* scenario, const char* why);
  Status AddHundredThousand(const char* scenario, const Target& target);

  StatusOr<Summary> OnNewServer(const LoadOptions& load, bool counts);
  StatusOr<double> ThroughputWithout(const OwnServer& other, const OwnServer& measured);
  StatusOr<double> Resident(const Target& target);
  StatusOr<double> WholeOn(const std::vector<int>& cores);
  LoadOptions Load(std::string scenario, uint64_t in_flight) const;
  const GoalOptions& options_;
  Calibration calibration_;
  double throughput_at_64_ = 0;
  GoalList goals_;
};

std::optional<Spread> One(double value) { return Spread{value, value, value, 1}; }

Status GoalRun::Run() {
  TROTH_RETURN_IF_ERROR(MeasureCalibration());
  struct Part {
    const char* what;
    Status (GoalRun::*measure)();
  };
  constexpr Part kParts[] = {
      {"messages by gRPC", &GoalRun::MeasureMessages},
      {"one at a time", &GoalRun::MeasureOneAtATime},
      {"SAGA by HTTP", &GoalRun::MeasureHttpSagas},
      {"open loop", &GoalRun::MeasureHalfLoad},
      {"10,000 in flight", &GoalRun::MeasureManyInFlight},
      {"two cores", &GoalRun::MeasureTwoCores},
      {"transactions that wait", &GoalRun::MeasureWaiting},
  };
  for (const Part& part : kParts) {
    if (std::string_view(part.what).find(options_.only) == std::string_view::npos) continue;
    std::fprintf(stderr, "measuring: %s\n", part.what);
    TROTH_RETURN_IF_ERROR((this->*part.measure)());
  }
  return OkStatus();
}

Status GoalRun::MeasureCalibration() {
  std::error_code ignored;
  std::filesystem::create_directories(options_.server.directory, ignored);
  TROTH_ASSIGN_OR_RETURN(calibration_, Calibrate(options_.server.directory));
  return OkStatus();
}

Status GoalRun::MeasureMessages() {
  TROTH_ASSIGN_OR_RETURN(const Summary at_64, OnNewServer(Load("msg", 64), true));
  goals_.AtLeast(
      "messages, 64 in flight", kThroughputAt64, at_64.Get(Measure::kThroughput), "tx/s");
  goals_.AtMost("server CPU, 64 in flight", kCpuMicros, at_64.Get(Measure::kServerCpu), "us/tx");
  goals_.AtMost("written to disk", kDiskBytes, at_64.Get(Measure::kDiskBytes), "bytes/tx");
  goals_.AtMost("fsyncs, 64 in flight", kSyncs, at_64.Get(Measure::kSyncs), "fsyncs/tx");
  throughput_at_64_ = at_64.Median(Measure::kThroughput, 0);
  TROTH_ASSIGN_OR_RETURN(const Summary at_512, OnNewServer(Load("msg", 512), false));
  goals_.AtLeast(
      "messages, 512 in flight", kThroughputAt512, at_512.Get(Measure::kThroughput), "tx/s");
  return OkStatus();
}

Status GoalRun::MeasureOneAtATime() {
  TROTH_ASSIGN_OR_RETURN(const Summary alone, OnNewServer(Load("msg", 1), false));
  const auto sync = static_cast<double>(calibration_.fdatasync_p50.count());
  goals_.AtMost("one at a time, p50",
                kLatencyOverSyncs * sync + kLatencyOnTop,
                alone.Get(Measure::kP50),
                "us");
  return OkStatus();
}

Status GoalRun::MeasureHttpSagas() {
  TROTH_ASSIGN_OR_RETURN(const Summary sagas, OnNewServer(Load("saga-2-http", 64), false));
  goals_.AtLeast("SAGA by HTTP, 64 in flight", kHttpSagas, sagas.Get(Measure::kThroughput), "tx/s");
  return OkStatus();
}

Status GoalRun::MeasureHalfLoad() {
  LoadOptions load = Load("msg", 64);
  if (throughput_at_64_ == 0) TROTH_RETURN_IF_ERROR(MeasureMessages());
  load.rate = throughput_at_64_ / 2;
  TROTH_ASSIGN_OR_RETURN(const Summary half, OnNewServer(load, false));
  goals_.AtMost(Cat("open loop at half of capacity (", FigureText(load.rate), "/s), p99"),
                kHalfLoadP99Micros,
                half.Get(Measure::kP99),
                "us");
  return OkStatus();
}

Status GoalRun::MeasureManyInFlight() {
  LoadOptions load = Load("msg", 10'000);
  load.connections = 4;  // each carries 4096 at most
  TROTH_ASSIGN_OR_RETURN(const Summary many, OnNewServer(load, false));
  goals_.AtMost("memory, 10,000 in flight", kResidentMb, many.Get(Measure::kResident), "MB");
  return OkStatus();
}

// The generator needs a core too, and this may be a machine of two: so server and generator are
// together on one core, and then together on two; in turns, so that both meet the same machine.
Status GoalRun::MeasureTwoCores() {
  std::vector<double> ratios;
  for (int i = 0; i < options_.repeats; ++i) {
    TROTH_ASSIGN_OR_RETURN(const double one, WholeOn({0}));
    TROTH_ASSIGN_OR_RETURN(const double two, WholeOn({0, 1}));
    ratios.push_back(two / one);
  }
  goals_.AtLeast(
      "two cores instead of one, generator included", kTwoCores, SpreadOf(ratios), "times");
  return OkStatus();
}

StatusOr<double> GoalRun::WholeOn(const std::vector<int>& cores) {
  PinToCores(cores);
  SessionOptions session{.load = Load("msg", 512), .repeats = 1, .counting_seconds = 0};
  session.server = options_.server;
  session.server.cores = cores;
  session.server.shards = static_cast<int>(cores.size());
  session.load.connections = 4 * static_cast<int>(cores.size());
  const auto summaries = RunSession(session);
  PinToCores({options_.generator_core});
  if (!summaries.ok()) return summaries.status();
  return summaries->front().summary.Median(Measure::kThroughput, 0);
}

Status GoalRun::MeasureWaiting() {
  TROTH_RETURN_IF_ERROR(MeasureBeside("msg-delayed", "delayed"));
  return MeasureBeside("msg-down", "their service down");
}

// A server with transactions that wait and one with as many that have ended take turns, so that
// both meet the same machine; the other one stands still meanwhile. The turns are many and short,
// and each of the two is first in every other: a machine that gets slower or faster meanwhile is in
// the spread, not in the median.
Status GoalRun::MeasureBeside(const char* scenario, const char* why) {
  ServerOptions with_waiting = options_.server;
  with_waiting.directory += "-waiting";
  TROTH_ASSIGN_OR_RETURN(const OwnServer beside, OwnServer::Start(with_waiting));
  TROTH_ASSIGN_OR_RETURN(const double before, Resident(beside.target()));
  TROTH_RETURN_IF_ERROR(AddHundredThousand(scenario, beside.target()));
  TROTH_ASSIGN_OR_RETURN(const double after, Resident(beside.target()));
  TROTH_ASSIGN_OR_RETURN(const OwnServer alone, OwnServer::Start(options_.server));
  TROTH_RETURN_IF_ERROR(AddHundredThousand("msg", alone.target()));
  std::vector<double> ratios;
  for (int i = 0; i < kTurnsPerRepeat * options_.repeats; ++i) {
    const bool with_first = i % 2 == 1;
    const auto& [first, second] = with_first ? std::tie(beside, alone) : std::tie(alone, beside);
    TROTH_ASSIGN_OR_RETURN(const double of_first, ThroughputWithout(second, first));
    TROTH_ASSIGN_OR_RETURN(const double of_second, ThroughputWithout(first, second));
    ratios.push_back(with_first ? of_first / of_second : of_second / of_first);
  }
  goals_.AtMost(Cat("memory of one of 100,000 waiting, ", why),
                kBytesPerWaiting,
                One((after - before) * 1e6 / static_cast<double>(kWaiting)),
                "bytes");
  goals_.AtLeast("messages beside them", kNoise, SpreadOf(ratios), "times those without");
  return OkStatus();
}

Status GoalRun::AddHundredThousand(const char* scenario, const Target& target) {
  LoadOptions load = Load(scenario, 512);
  load.warmup_seconds = 0;
  load.transactions = kWaiting;
  return RunLoad(load, target).status();
}

StatusOr<double> GoalRun::ThroughputWithout(const OwnServer& other, const OwnServer& measured) {
  const Paused still(other);
  LoadOptions load = Load("msg", 64);
  load.warmup_seconds = 0.2;  // it has worked before
  load.seconds /= kTurnsPerRepeat;
  TROTH_ASSIGN_OR_RETURN(const Figures figures, RunLoad(load, measured.target()));
  return figures.at(Measure::kThroughput);
}

// In MB, after some work.
StatusOr<double> GoalRun::Resident(const Target& target) {
  LoadOptions load = Load("msg", 64);
  load.warmup_seconds = 0;
  load.seconds = 0.5;
  TROTH_ASSIGN_OR_RETURN(const Figures figures, RunLoad(load, target));
  return figures.at(Measure::kResident);
}

LoadOptions GoalRun::Load(std::string scenario, uint64_t in_flight) const {
  return {.scenario = std::move(scenario),
          .in_flight = in_flight,
          .warmup_seconds = 1,
          .seconds = options_.seconds};
}

StatusOr<Summary> GoalRun::OnNewServer(const LoadOptions& load, bool counts) {
  SessionOptions session{
      .load = load, .repeats = options_.repeats, .counting_seconds = counts ? 1.0 : 0.0};
  session.server = options_.server;
  TROTH_ASSIGN_OR_RETURN(const auto summaries, RunSession(session));
  return summaries.front().summary;
}

}  // namespace

StatusOr<GoalReport> MeasureGoals(const GoalOptions& options) {
  GoalRun run(options);
  TROTH_RETURN_IF_ERROR(run.Run());
  return run.Report();
}

}  // namespace troth::bench
