#include "bench/store/store_load.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr uint64_t kLeaveBatch = 512;
constexpr Duration kLease = Seconds(10);
constexpr std::array<uint32_t, 2> kBranches = {0, 1};  // rows of each transaction

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
  txn.next_cron_time = now + kLease;
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

Duration CpuTime(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return Seconds(time.tv_sec) + Duration(time.tv_nsec / 1000);
}

using Steady = std::chrono::steady_clock;

Duration Since(Steady::time_point start) {
  return std::chrono::duration_cast<Duration>(Steady::now() - start);
}

}  // namespace

LoadFigures StoreLoad::Run(uint64_t count, uint64_t in_flight) {
  LoadFigures figures{.transactions = count};
  std::vector<Transaction> open;
  const uint64_t begun_at_once = (in_flight + 1) / 2;
  const auto start = Steady::now();
  const Duration cpu_before = CpuTime(CLOCK_PROCESS_CPUTIME_ID);
  Duration preparing{};
  for (uint64_t begun = 0; begun < count || !open.empty();) {
    const Duration prepare_from = CpuTime(CLOCK_THREAD_CPUTIME_ID);
    saves_.clear();
    const uint64_t free = in_flight - open.size();
    End(open);
    const uint64_t next = std::min({begun_at_once, free, count - begun});
    Begin(open, next, kLease);
    begun += next;
    CountBytes(figures);
    preparing += CpuTime(CLOCK_THREAD_CPUTIME_ID) - prepare_from;

    const auto commit_start = Steady::now();
    Commit();
    figures.commit_latencies.Add(Since(commit_start));
    ++figures.commits;
  }
  figures.cpu = CpuTime(CLOCK_PROCESS_CPUTIME_ID) - cpu_before - preparing;
  figures.seconds = std::chrono::duration<double>(Steady::now() - start).count();
  return figures;
}

void StoreLoad::Leave(uint64_t count) {
  for (uint64_t left = count; left > 0; left -= saves_.size()) {
    std::vector<Transaction> open;
    saves_.clear();
    Begin(open, std::min(left, kLeaveBatch), Seconds(24 * 3600));
    Commit();
  }
}

void StoreLoad::End(std::vector<Transaction>& open) {
  for (Transaction& txn : open) {
    Finish(txn, clock_.Now());
    saves_.push_back(store_.Encode({.txn = &txn,
                                    .expected_version = 1,
                                    .expected_status = TransStatus::kSubmitted,
                                    .expected_leased = true,
                                    .branches_from = kBranches.size(),
                                    .payloads_from = kBranches.size(),
                                    .rows_changed = kBranches}));
  }
  open.clear();
}

void StoreLoad::Begin(std::vector<Transaction>& open, uint64_t count, Duration due_in) {
  for (uint64_t i = 0; i < count; ++i) {
    open.push_back(TwoBranchMsg(NewGid(random_), clock_.Now()));
    open.back().next_cron_time += due_in - kLease;
    saves_.push_back(store_.Encode({.txn = &open.back(), .fixed_part_changed = true}));
  }
}

void StoreLoad::CountBytes(LoadFigures& figures) const {
  for (const SaveRecord& save : saves_) {
    figures.encoded_bytes +=
        save.gid.size() + save.fixed.size() + save.page.size() + save.state.size();
  }
}

void StoreLoad::Commit() {
  for (const SaveOutcome& outcome : store_.Commit(saves_)) {
    if (outcome.result == SaveResult::kStored) continue;
    std::fprintf(stderr, "a save failed: %s\n", outcome.error.c_str());
    std::exit(1);
  }
}

}  // namespace troth::bench
