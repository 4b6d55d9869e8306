#pragma once
// The machine's disk for RocksDB, where things go wrong: slow syncs, failing ones, and the death of
// the process at any point of any write.
//
// Points are numbered from 1 in the order they are passed: one before and one after each write,
// truncation and sync of a file, each sync of a directory and each renaming.

#include <rocksdb/env.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "faults.h"

namespace troth {

// Thread-safe.
class DeathPoints {
 public:
  explicit DeathPoints(uint64_t die_at) : die_at_(die_at) {}  // 0: never
  // Tells the point on stderr and kills the process if it is the one.
  void Pass(std::string_view moment, std::string_view what, std::string_view file);

 private:
  const uint64_t die_at_;
  std::atomic<uint64_t> passed_ = 0;
};

// `faults` and `points` outlive it.
std::unique_ptr<rocksdb::Env> MakeFailingDisk(const Faults& faults, DeathPoints& points);

}  // namespace troth
