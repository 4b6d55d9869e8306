#pragma once
// What the embedded store sees of two-branch messages: a creation, and once that is durable a final
// save in a later commit. One thread.

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "bench/measure/latencies.h"
#include "engine/transaction.h"
#include "store/store.h"

namespace troth::bench {

struct LoadFigures {
  uint64_t transactions = 0;
  uint64_t commits = 0;  // each with one sync
  uint64_t encoded_bytes = 0;
  double seconds = 0;
  // Of the whole process, RocksDB's threads included; not what making the transactions took, which
  // is the engine's work in a server.
  Duration cpu{};
  Latencies commit_latencies;
};

class StoreLoad {
 public:
  explicit StoreLoad(Store& store) : store_(store) {}

  // A closed loop: `in_flight` transactions are always open, half of them waiting for their
  // creation, half for their end, as in a server whose branches answer at once. Ends the process
  // with a message when a save fails.
  LoadFigures Run(uint64_t count, uint64_t in_flight);

  // Leaves `count` unfinished transactions behind, due in a day.
  void Leave(uint64_t count);

 private:
  void End(std::vector<Transaction>& open);
  void Begin(std::vector<Transaction>& open, uint64_t count, Duration due_in);
  void CountBytes(LoadFigures& figures) const;
  void Commit();

  Store& store_;
  SystemClock clock_;
  Random random_ = Random::FromDevice();
  std::vector<SaveRecord> saves_;
};

}  // namespace troth::bench
