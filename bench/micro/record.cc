// A message's bytes in the store: written at its creation and at its end, read after a crash.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "engine/transaction.h"
#include "store/record.h"

namespace troth {
namespace {

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

void EncodeCreation(benchmark::State& state) {
  const Transaction txn = TwoBranchMsg();
  for (auto each : state) {
    benchmark::DoNotOptimize(EncodeSave({.txn = &txn, .fixed_part_changed = true}));
  }
}
BENCHMARK(EncodeCreation);

void EncodeEnd(benchmark::State& state) {
  Transaction txn = TwoBranchMsg();
  txn.version = 2;
  for (Branch& branch : txn.branches)
    ChangeStatus(branch, BranchStatus::kSucceeded, txn.create_time);
  ChangeStatus(txn, TransStatus::kSucceeded, txn.create_time);
  const Save save{.txn = &txn, .expected_version = 1, .branches_from = 2, .payloads_from = 2};
  for (auto each : state) benchmark::DoNotOptimize(EncodeSave(save));
}
BENCHMARK(EncodeEnd);

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
