#include "bench/load/load_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

#include "base/text.h"
#include "bench/load/driver.h"
#include "bench/load/participants.h"
#include "bench/measure/kernel_counters.h"
#include "bench/measure/process_usage.h"

namespace troth::bench {
namespace {

constexpr std::chrono::seconds kDrainTime{10};
constexpr std::chrono::milliseconds kDrainLooks{1};
constexpr int kGrpcConnections = 2;  // as from two processes
// An open loop's connections for HTTP, where each carries one request at a time.
constexpr int kOpenLoopHttpConnections = 512;
constexpr std::string_view kProfileHertz = "499";

SteadyTime Now() { return std::chrono::steady_clock::now(); }

Nanos FromSeconds(double seconds) { return Nanos(static_cast<int64_t>(seconds * 1e9)); }

Duration OwnCpu() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return Seconds(time.tv_sec) + Duration(time.tv_nsec / 1000);
}

int Connections(const LoadOptions& options) {
  if (options.connections > 0) return options.connections;
  if (WireOf(options.scenario) == Wire::kGrpc) return kGrpcConnections;
  return options.rate > 0 ? kOpenLoopHttpConnections : static_cast<int>(options.in_flight);
}

// `perf record` of the server, for as long as it measures.
pid_t StartProfile(const LoadOptions& options, pid_t server) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const std::string server_text = Cat(server);
  const std::string seconds = Cat(static_cast<int64_t>(options.seconds));
  ::execlp("perf",
           "perf",
           "record",
           "-q",
           "-F",
           kProfileHertz.data(),
           "--call-graph",
           "dwarf,16384",
           "-p",
           server_text.c_str(),
           "-o",
           options.profile_path.c_str(),
           "--",
           "sleep",
           seconds.c_str(),
           nullptr);
  ::_exit(127);
}

// What is read at the start and at the end of the measured time.
struct Sample {
  SteadyTime at;
  Duration own_cpu{};
  uint64_t branch_calls = 0;
  Usage server;
  Usage store;
  std::optional<KernelCounts> kernel;
  uint64_t allocations = 0;
};

class LoadRun {
 public:
  LoadRun(const LoadOptions& options, const Target& target)
      : options_(options), target_(target), participants_(WireOf(options.scenario)) {}

  StatusOr<Figures> Run();

 private:
  enum class Phase { kWarmup, kMeasure, kDrain };

  SteadyTime OnTurn();
  void Begin(SteadyTime now);
  void End(SteadyTime now);
  bool Finished(SteadyTime now) const;
  Sample Take(SteadyTime now) const;
  Figures Compare() const;
  Status Check() const;

  const LoadOptions& options_;
  const Target& target_;
  Participants participants_;
  Scenario scenario_;
  std::unique_ptr<Driver> driver_;  // its connections outlive the loop
  EventLoop loop_;
  std::unique_ptr<KernelCounters> kernel_;
  pid_t profile_ = 0;  // perf
  Phase phase_ = Phase::kWarmup;
  SteadyTime phase_end_;
  Sample begin_;
  Figures figures_;
};

StatusOr<Figures> LoadRun::Run() {
  TROTH_RETURN_IF_ERROR(participants_.Listen(loop_));
  TROTH_ASSIGN_OR_RETURN(scenario_, MakeScenario(options_.scenario, participants_.services()));
  driver_ = std::make_unique<Driver>(scenario_, loop_);
  const std::string& address = scenario_.wire == Wire::kGrpc ? target_.grpc : target_.http;
  TROTH_RETURN_IF_ERROR(driver_->Connect(address, Connections(options_)));
  if (options_.count_kernel && target_.pid != 0) {
    kernel_ = std::make_unique<KernelCounters>(target_.pid);
  }
  const SteadyTime start = Now();
  driver_->set_pacer(options_.rate > 0 ? Pacer::Open(options_.rate, start)
                                       : Pacer::Closed(options_.in_flight));
  phase_end_ = start + FromSeconds(options_.warmup_seconds);
  loop_.Run([this] { return OnTurn(); });
  if (profile_ > 0) ::waitpid(profile_, nullptr, 0);
  TROTH_RETURN_IF_ERROR(Check());
  return figures_;
}

SteadyTime LoadRun::OnTurn() {
  const SteadyTime now = Now();
  if (phase_ == Phase::kWarmup && now >= phase_end_) Begin(now);
  if (phase_ == Phase::kMeasure && Finished(now)) End(now);
  if (driver_->lost_connection()) loop_.Stop();
  const SteadyTime next = driver_->OnTurn();
  if (phase_ != Phase::kDrain) return std::min(next, std::max(phase_end_, now));
  if (driver_->open() == 0 || now >= phase_end_) loop_.Stop();
  return now + kDrainLooks;
}

void LoadRun::Begin(SteadyTime now) {
  phase_ = Phase::kMeasure;
  phase_end_ = now + FromSeconds(options_.seconds);
  driver_->Clear();
  if (!options_.profile_path.empty() && target_.pid != 0) {
    profile_ = StartProfile(options_, target_.pid);
  }
  begin_ = Take(now);
}

bool LoadRun::Finished(SteadyTime now) const {
  if (options_.transactions > 0)
    return driver_->ended() + driver_->failed() >= options_.transactions;
  return now >= phase_end_;
}

void LoadRun::End(SteadyTime now) {
  figures_ = Compare();
  phase_ = Phase::kDrain;
  phase_end_ = now + kDrainTime;
  driver_->Drain();
}

Sample LoadRun::Take(SteadyTime now) const {
  return {.at = now,
          .own_cpu = OwnCpu(),
          .branch_calls = participants_.calls(),
          .server = MeasureProcess(target_.pid),
          .store = MeasureWithChildren(target_.store_pid),
          .kernel = kernel_ ? kernel_->Read() : std::nullopt,
          .allocations = options_.allocations != nullptr ? options_.allocations->count() : 0};
}

Figures LoadRun::Compare() const {
  const Sample end = Take(Now());
  const auto count = static_cast<double>(std::max<uint64_t>(driver_->ended(), 1));
  const auto micros = [&](Duration later, Duration earlier) {
    return static_cast<double>((later - earlier).count()) / count;
  };
  const auto each = [&](uint64_t later, uint64_t earlier) {
    return static_cast<double>(later - earlier) / count;
  };
  const auto percentile = [&](double part) {
    return static_cast<double>(driver_->latencies().Percentile(part).count());
  };
  const double seconds = std::chrono::duration<double>(end.at - begin_.at).count();
  Figures f = {{Measure::kThroughput, static_cast<double>(driver_->ended()) / seconds},
               {Measure::kGeneratorCpu, micros(end.own_cpu, begin_.own_cpu)},
               {Measure::kP50, percentile(0.5)},
               {Measure::kP90, percentile(0.9)},
               {Measure::kP99, percentile(0.99)},
               {Measure::kP999, percentile(0.999)},
               {Measure::kBranchCalls, each(end.branch_calls, begin_.branch_calls)},
               {Measure::kFailed, static_cast<double>(driver_->failed())}};
  if (target_.pid != 0) {
    f[Measure::kServerCpu] = micros(end.server.cpu, begin_.server.cpu);
    f[Measure::kDiskBytes] = each(end.server.written_bytes, begin_.server.written_bytes);
    f[Measure::kResident] = static_cast<double>(end.server.resident_bytes) / 1e6;
  }
  if (target_.store_pid != 0) {
    f[Measure::kStoreCpu] = micros(end.store.cpu, begin_.store.cpu);
    f[Measure::kDiskBytes] += each(end.store.written_bytes, begin_.store.written_bytes);
  }
  if (begin_.kernel && end.kernel) {
    f[Measure::kSyscalls] = each(end.kernel->syscalls, begin_.kernel->syscalls);
    f[Measure::kSyncs] = each(end.kernel->syncs, begin_.kernel->syncs);
  }
  if (options_.allocations != nullptr) {
    f[Measure::kAllocations] = each(end.allocations, begin_.allocations);
  }
  return f;
}

// A server that does less than it should must not look fast.
Status LoadRun::Check() const {
  if (driver_->lost_connection()) return Unavailable(driver_->first_error());
  if (figures_.at(Measure::kFailed) > 0) return Internal(driver_->first_error());
  if (driver_->open() != 0) {
    return DeadlineExceeded(
        Cat(driver_->open(), " transactions had no answer after ", kDrainTime.count(), " s"));
  }
  if (figures_.at(Measure::kThroughput) == 0) {
    return DeadlineExceeded("no transaction ended while it was measured; give it more --seconds");
  }
  return participants_.CheckPaths(scenario_);
}

}  // namespace

StatusOr<Figures> RunLoad(const LoadOptions& options, const Target& target) {
  return LoadRun(options, target).Run();
}

}  // namespace troth::bench
