// A message's bytes in the embedded store and in Redis: written at its creation and at its end,
// read after a crash.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "engine/transaction.h"
#include "store/record.h"
#include "store/redis/save_arguments.h"

namespace troth {
namespace {

constexpr std::string_view kToken = "QpaCf6ihP9CYmpaPcXcodT";

Transaction TwoBranchMsg() {
  const TimePoint now = FromMicros(1'800'000'000'000'000);
  Transaction txn;
  txn.gid = "EYokBjg7vYV86Ytwxmfej7";
  txn.protocol = Protocol::kGrpc;
  txn.options.wait_result = true;
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.pages = 1;
  txn.leased = true;
  txn.create_time = txn.update_time = now;
  txn.next_cron_interval = 10;
  txn.next_cron_time = now + Seconds(10);
  for (const std::string_view id : {"01", "02"}) {
    txn.branches.push_back({.branch_id = std::string(id),
                            .url = "127.0.0.1:8082/api.trans.v1.Trans/TransOut",
                            .payload = static_cast<uint32_t>(txn.payloads.size()),
                            .create_time = now,
                            .update_time = now});
    txn.payloads.emplace_back("\x08\x1e");
  }
  return txn;
}

Transaction EndedMsg() {
  Transaction txn = TwoBranchMsg();
  txn.version = 2;
  for (Branch& branch : txn.branches) {
    ChangeStatus(branch, BranchStatus::kSucceeded, txn.create_time);
  }
  ChangeStatus(txn, TransStatus::kSucceeded, txn.create_time);
  return txn;
}

void EncodeCreation(benchmark::State& state) {
  const Transaction txn = TwoBranchMsg();
  for (auto each : state) {
    benchmark::DoNotOptimize(EncodeSave({.txn = &txn, .fixed_part_changed = true}));
  }
}
BENCHMARK(EncodeCreation);

void EncodeEnd(benchmark::State& state) {
  const Transaction txn = EndedMsg();
  const Save save{.txn = &txn, .expected_version = 1, .branches_from = 2, .payloads_from = 2};
  for (auto each : state) benchmark::DoNotOptimize(EncodeSave(save));
}
BENCHMARK(EncodeEnd);

void EncodeCreationForRedis(benchmark::State& state) {
  const Transaction txn = TwoBranchMsg();
  const Save save{.txn = &txn, .fixed_part_changed = true};
  for (auto each : state) benchmark::DoNotOptimize(redis::EncodeArguments(save, kToken));
}
BENCHMARK(EncodeCreationForRedis);

void EncodeEndForRedis(benchmark::State& state) {
  const Transaction txn = EndedMsg();
  constexpr uint32_t kRows[] = {0, 1};
  const Save save{.txn = &txn,
                  .expected_version = 1,
                  .expected_status = TransStatus::kSubmitted,
                  .branches_from = 2,
                  .payloads_from = 2,
                  .rows_changed = kRows};
  for (auto each : state) benchmark::DoNotOptimize(redis::EncodeArguments(save, kToken));
}
BENCHMARK(EncodeEndForRedis);

void Decode(benchmark::State& state) {
  const Transaction txn = TwoBranchMsg();
  const SaveRecord save = EncodeSave({.txn = &txn, .fixed_part_changed = true});
  const StoredRecord record{.gid = save.gid,
                            .version = save.version,
                            .fixed = save.fixed,
                            .pages = {save.page},
                            .state = save.state};
  TROTH_CHECK(DecodeTransaction(record).ok());
  for (auto each : state) benchmark::DoNotOptimize(DecodeTransaction(record));
}
BENCHMARK(Decode);

}  // namespace
}  // namespace troth
