// bench_store: what two-branch messages cost in the embedded store alone, how that grows with what
// is stored, and what opening, listing and retention take. One thread commits, as in the server.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure/process_usage.h"
#include "bench/store/store_load.h"
#include "store/rocksdb_store.h"

namespace troth::bench {
namespace {

constexpr uint64_t kFillInFlight = 1024;
constexpr uint64_t kPurgeLimit = 10'000;  // as the server's retention asks in one go
constexpr uint64_t kPurgeLoadRound = 2'000;

struct Options {
  std::string directory = "build/bench-store";
  uint64_t transactions = 200'000;
  std::vector<uint64_t> in_flight = {1, 64, 512};
  std::vector<uint64_t> stored = {0};
  uint64_t waiting = 0;
  uint64_t purge = 0;
};

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double Micros(Duration duration) { return static_cast<double>(duration.count()); }
unsigned long long Print(uint64_t number) { return number; }  // for %llu

std::unique_ptr<Store> OpenOrExit(const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  auto store = OpenRocksDbStore({.path = path});
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(Message(store.status())).c_str());
    std::exit(1);
  }
  std::printf("open: %.3f s, %llu unfinished, resident %.1f MB\n",
              SecondsSince(start),
              Print((*store)->Unfinished()),
              static_cast<double>(MeasureProcess(getpid()).resident_bytes) / 1e6);
  return *std::move(store);
}

void MeasureLoad(Store& store, uint64_t stored, uint64_t transactions, uint64_t in_flight) {
  const uint64_t written_before = MeasureProcess(getpid()).written_bytes;
  const LoadFigures f = StoreLoad(store).Run(transactions, in_flight);
  const Usage usage = MeasureProcess(getpid());
  const auto count = static_cast<double>(f.transactions);
  std::printf("%9llu  %9llu  %8.0f  %9.2f  %8.4f  %8.0f  %8.0f  %8.0f  %8.0f  %7.1f\n",
              Print(stored),
              Print(in_flight),
              count / f.seconds,
              Micros(f.cpu) / count,
              static_cast<double>(f.commits) / count,
              static_cast<double>(f.encoded_bytes) / count,
              static_cast<double>(usage.written_bytes - written_before) / count,
              Micros(f.commit_latencies.Percentile(0.5)),
              Micros(f.commit_latencies.Percentile(0.99)),
              static_cast<double>(usage.resident_bytes) / 1e6);
}

void MeasureGrowth(Store& store, const Options& options) {
  std::printf(
      "   stored  in flight      tx/s  CPU us/tx  syncs/tx  bytes/tx  disk B/tx  p50 us    p99 us  "
      "   RSS MB\n");
  uint64_t finished = 0;
  for (const uint64_t stored : options.stored) {
    if (stored > finished) {
      StoreLoad(store).Run(stored - finished, kFillInFlight);
      finished = stored;
    }
    for (const uint64_t in_flight : options.in_flight) {
      // One at a time is bound by the disk: a tenth is enough.
      const uint64_t count = in_flight == 1 ? options.transactions / 10 : options.transactions;
      MeasureLoad(store, finished, count, in_flight);
      finished += count;
    }
  }
}

double ListMilliseconds(Store& store, TransStatus status, size_t& found) {
  const auto start = std::chrono::steady_clock::now();
  const auto page = store.List({.limit = 100, .status = status});
  found = page.ok() ? page->records.size() : 0;
  return SecondsSince(start) * 1e3;
}

void MeasureList(Store& store) {
  for (const TransStatus status :
       {TransStatus::kSucceeded, TransStatus::kFailed, TransStatus::kSubmitted}) {
    size_t found = 0;
    const double first = ListMilliseconds(store, status, found);
    const double again = ListMilliseconds(store, status, found);
    std::printf("list newest 100 %s: %.2f ms, again %.2f ms, %zu found\n",
                std::string(WireName(status)).c_str(),
                first,
                again,
                found);
  }
}

// Removes so many that are finished, while another thread goes on committing, 64 in flight.
void MeasurePurge(Store& store, uint64_t count) {
  const TimePoint before = SystemClock().Now();
  std::atomic<bool> purged = false;
  Latencies latencies;
  std::thread load([&] {
    while (!purged) {
      latencies.Merge(StoreLoad(store).Run(kPurgeLoadRound, 64).commit_latencies);
    }
  });
  const auto start = std::chrono::steady_clock::now();
  uint64_t removed = 0;
  Duration longest{};
  for (bool more = true; more && removed < count;) {
    const auto call = std::chrono::steady_clock::now();
    const auto some = store.Purge(before, kPurgeLimit);
    if (!some.ok()) std::fprintf(stderr, "%s\n", std::string(Message(some.status())).c_str());
    more = some.ok() && *some == kPurgeLimit;
    removed += some.ok() ? *some : 0;
    longest = std::max(longest, Duration(static_cast<int64_t>(SecondsSince(call) * 1e6)));
  }
  const double seconds = SecondsSince(start);
  purged = true;
  load.join();
  std::printf(
      "purge of %llu: %.2f s, longest call of %llu: %.0f ms; commits beside it: "
      "p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n",
      Print(removed),
      seconds,
      Print(kPurgeLimit),
      Micros(longest) / 1e3,
      Micros(latencies.Percentile(0.5)),
      Micros(latencies.Percentile(0.99)),
      Micros(latencies.Percentile(0.999)));
}

int Main(const Options& options) {
  std::filesystem::remove_all(options.directory);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::unique_ptr<Store> store = OpenOrExit(options.directory);
  if (options.waiting != 0) StoreLoad(*store).Leave(options.waiting);
  MeasureGrowth(*store, options);
  MeasureList(*store);
  store.reset();
  store = OpenOrExit(options.directory);
  if (options.purge != 0) MeasurePurge(*store, options.purge);
  store.reset();
  std::filesystem::remove_all(options.directory);
  return 0;
}

}  // namespace
}  // namespace troth::bench

int main(int argc, char** argv) {
  troth::bench::Options options;
  CLI::App app("Two-branch messages in the embedded store");
  app.add_option("--dir", options.directory, "for the store; emptied")->capture_default_str();
  app.add_option("--transactions", options.transactions, "in one measurement")
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "open at once; several: one after the other")
      ->capture_default_str();
  app.add_option("--stored", options.stored, "finished before; several: growing")
      ->capture_default_str();
  app.add_option("--waiting", options.waiting, "unfinished all the while")->capture_default_str();
  app.add_option("--purge", options.purge, "at the end, remove so many while committing goes on");
  CLI11_PARSE(app, argc, argv);
  return troth::bench::Main(options);
}
