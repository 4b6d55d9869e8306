// bench_floor: the least a durable two-branch message takes on this machine (exchange.h).

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/floor/exchange.h"
#include "bench/measure/calibration.h"

namespace troth::bench {
namespace {

int Report(const Status& status) {
  std::fprintf(stderr, "%s\n", std::string(Message(status)).c_str());
  return 1;
}

void Print(uint32_t in_flight, const ExchangeFigures& figures) {
  const auto count = static_cast<double>(figures.transactions);
  std::printf("%9u %14.0f %18.1f %8lld %9.3f\n",
              in_flight,
              count / figures.seconds,
              static_cast<double>(figures.coordinator_cpu.count()) / count,
              static_cast<long long>(figures.p50.count()),
              static_cast<double>(figures.syncs) / count);
}

int Run(const ExchangeOptions& given, const std::vector<uint32_t>& in_flight) {
  std::error_code ignored;
  std::filesystem::create_directories(given.directory, ignored);
  const auto machine = Calibrate(given.directory);
  if (!machine.ok()) return Report(machine.status());
  std::printf("this machine now: fdatasync p50 %lld us; 10 million steps of a CPU loop %lld us\n",
              static_cast<long long>(machine->fdatasync_p50.count()),
              static_cast<long long>(machine->cpu_loop.count()));
  std::printf("in flight transactions/s coordinator us/tx   p50 us  syncs/tx\n");
  for (const uint32_t count : in_flight) {
    ExchangeOptions options = given;
    options.in_flight = count;
    const auto figures = RunExchange(options);
    if (!figures.ok()) return Report(figures.status());
    if (figures->transactions == 0) return Report(Internal("no transaction ended; --seconds"));
    Print(count, *figures);
  }
  return 0;
}

}  // namespace
}  // namespace troth::bench

int main(int argc, char** argv) {
  CLI::App app("What the machine alone takes for a durable two-branch message");
  troth::bench::ExchangeOptions options{.directory = "build/bench/floor"};
  std::vector<uint32_t> in_flight = {1, 64, 512};
  app.add_option("--in-flight", in_flight, "may be given more than once")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "of each run")->capture_default_str();
  app.add_option("--dir", options.directory, "for its log")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return troth::bench::Run(options, in_flight);
}
