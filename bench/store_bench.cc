// What a two-branch message costs in the embedded store: its creation and its final save, each in a
// batch with those of others.
//
//   bench_store [--path DIR] [--transactions N] [--batch N]... [--stored N] [--waiting N]
//
// --stored: transactions finished before, --waiting: unfinished ones that are due much later.
// CPU is that of the whole process, the background threads included. Not a test.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "store/record.h"
#include "store/rocksdb_store.h"

namespace troth {
namespace {

struct Arguments {
  std::string path = (std::filesystem::temp_directory_path() / "troth-bench-store").string();
  uint64_t transactions = 200'000;
  uint64_t stored = 0;
  uint64_t waiting = 0;
  std::vector<uint64_t> batches;
};

struct Usage {
  double seconds = 0;
  double cpu_seconds = 0;
  uint64_t bytes_written = 0;
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// A number that /proc/self/<file> gives under `name`.
uint64_t ProcNumber(const char* file, std::string_view name) {
  std::ifstream in(Cat("/proc/self/", file));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  }
  return 0;
}

Usage Now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return {.seconds = std::chrono::duration<double>(time).count(),
          .cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime),
          .bytes_written = ProcNumber("io", "write_bytes:")};
}

Transaction TwoBranchMsg(std::string gid, TimePoint now) {
  Transaction txn;
  txn.gid = std::move(gid);
  txn.protocol = Protocol::kGrpc;
  txn.options.wait_result = true;
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.pages = 1;
  txn.leased = true;
  txn.create_time = txn.update_time = now;
  txn.next_cron_interval = 10;
  txn.next_cron_time = now + troth::Seconds(10);
  for (const std::string_view id : {"01", "02"}) {
    txn.branches.push_back({.branch_id = std::string(id),
                            .url = Cat("127.0.0.1:9000/api.trans.v1.Trans/TransOut", id),
                            .payload = static_cast<uint32_t>(txn.payloads.size()),
                            .create_time = now,
                            .update_time = now,
                            .finish_time = std::nullopt});
    txn.payloads.emplace_back("\x08\x1e\x10\x01");
  }
  return txn;
}

void Finish(Transaction& txn, TimePoint now) {
  txn.version = 2;
  txn.status = TransStatus::kSucceeded;
  txn.leased = false;
  txn.update_time = now;
  txn.finish_time = now;
  for (Branch& branch : txn.branches) {
    branch.status = BranchStatus::kSucceeded;
    branch.update_time = now;
    branch.finish_time = now;
  }
}

class Load {
 public:
  explicit Load(Store& store) : store_(store) {}

  // Runs `count` transactions, at most two batches open, as a server in steady state does: each
  // commit holds the ends of the last batch and the beginnings of the next. Returns commits made.
  uint64_t Run(uint64_t count, uint64_t batch) {
    std::vector<Transaction> open;
    uint64_t commits = 0;
    for (uint64_t started = 0; started < count || !open.empty();) {
      saves_.clear();
      for (Transaction& txn : open) {
        Finish(txn, clock_.Now());
        saves_.push_back(EncodeSave(
            {.txn = &txn, .expected_version = 1, .branches_from = 2, .payloads_from = 2}));
      }
      open.clear();
      for (uint64_t i = 0; i < batch && started < count; ++i, ++started) Begin(open);
      Commit();
      ++commits;
    }
    return commits;
  }

  // Leaves `count` unfinished transactions behind, due in a day.
  void Leave(uint64_t count) {
    std::vector<Transaction> open;
    for (uint64_t i = 0; i < count; i += saves_.size()) {
      saves_.clear();
      for (uint64_t j = i; j < count && saves_.size() < 512; ++j) {
        Begin(open);
        saves_.back().index.due = clock_.Now() + troth::Seconds(24 * 3600);
      }
      Commit();
      open.clear();
    }
  }

 private:
  void Begin(std::vector<Transaction>& open) {
    open.push_back(TwoBranchMsg(NewGid(random_), clock_.Now()));
    saves_.push_back(EncodeSave({.txn = &open.back(), .fixed_part_changed = true}));
  }
  void Commit() {
    for (const SaveOutcome& outcome : store_.Commit(saves_)) {
      if (outcome.result == SaveResult::kStored) continue;
      std::fprintf(stderr, "a save failed: %s\n", outcome.error.c_str());
      std::exit(1);
    }
  }

  Store& store_;
  SystemClock clock_;
  Random random_ = Random::FromDevice();
  std::vector<SaveRecord> saves_;
};

std::unique_ptr<Store> OpenOrExit(const std::string& path) {
  const Usage before = Now();
  auto store = OpenRocksDbStore({.path = path});
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(Message(store.status())).c_str());
    std::exit(1);
  }
  std::printf("open: %.3f s, %llu unfinished, RSS %llu MB\n",
              Now().seconds - before.seconds,
              static_cast<unsigned long long>((*store)->Unfinished()),
              static_cast<unsigned long long>(ProcNumber("status", "VmRSS:") / 1024));
  return *std::move(store);
}

void Measure(Store& store, uint64_t transactions, uint64_t batch) {
  Load load(store);
  const Usage before = Now();
  const uint64_t commits = load.Run(transactions, batch);
  const Usage after = Now();
  const auto count = static_cast<double>(transactions);
  std::printf(
      "batch %4llu: %8.0f tx/s  %6.2f CPU us/tx  %6.0f bytes/tx  %.4f syncs/tx  RSS %llu MB\n",
      static_cast<unsigned long long>(batch),
      count / (after.seconds - before.seconds),
      (after.cpu_seconds - before.cpu_seconds) / count * 1e6,
      static_cast<double>(after.bytes_written - before.bytes_written) / count,
      static_cast<double>(commits) / count,
      static_cast<unsigned long long>(ProcNumber("status", "VmRSS:") / 1024));
}

void MeasureList(Store& store) {
  for (const TransStatus status : {TransStatus::kSucceeded, TransStatus::kFailed}) {
    const Usage before = Now();
    const auto page = store.List({.limit = 100, .status = status});
    std::printf("list newest 100 %s: %.2f ms, %zu found\n",
                std::string(WireName(status)).c_str(),
                (Now().seconds - before.seconds) * 1e3,
                page.ok() ? page->records.size() : 0);
  }
}

void MeasurePurge(Store& store, uint64_t count) {
  const Usage before = Now();
  const auto removed = store.Purge(SystemClock().Now() + troth::Seconds(3600), count);
  const Usage after = Now();
  if (!removed.ok() || *removed == 0) return;
  std::printf("purge of %llu: %.2f s, %.2f CPU us each\n",
              static_cast<unsigned long long>(*removed),
              after.seconds - before.seconds,
              (after.cpu_seconds - before.cpu_seconds) / static_cast<double>(*removed) * 1e6);
}

Arguments ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const uint64_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--path") arguments.path = argv[i + 1];
    if (name == "--transactions") arguments.transactions = number;
    if (name == "--batch") arguments.batches.push_back(number);
    if (name == "--stored") arguments.stored = number;
    if (name == "--waiting") arguments.waiting = number;
  }
  if (arguments.batches.empty()) arguments.batches = {1, 64, 512};
  return arguments;
}

int Main(int argc, char** argv) {
  const Arguments arguments = ParseArguments(argc, argv);
  std::filesystem::remove_all(arguments.path);
  std::unique_ptr<Store> store = OpenOrExit(arguments.path);
  if (arguments.stored != 0) Load(*store).Run(arguments.stored, 512);
  if (arguments.waiting != 0) Load(*store).Leave(arguments.waiting);
  for (const uint64_t batch : arguments.batches) {
    // One at a time is bound by the disk: a tenth is enough.
    Measure(*store, batch == 1 ? arguments.transactions / 10 : arguments.transactions, batch);
  }
  MeasureList(*store);
  store.reset();
  store = OpenOrExit(arguments.path);
  MeasurePurge(*store, 1'000'000);
  store.reset();
  std::filesystem::remove_all(arguments.path);
  return 0;
}

}  // namespace
}  // namespace troth

int main(int argc, char** argv) { return troth::Main(argc, argv); }
