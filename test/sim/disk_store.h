#pragma once
// The production store over RocksDB on a disk that loses power, checked against the model of the
// store contract: whatever it confirmed it has after every crash, byte for byte.

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "crash_disk.h"
#include "store/memory_store.h"
#include "store/store.h"

namespace troth::sim {

class DiskStore {
 public:
  using ViolationFn = std::function<void(std::string)>;

  // `seed` decides what crashes leave. `violation` is told what is wrong.
  DiskStore(uint64_t seed, ViolationFn violation);

  // As Store::Commit; the answers are those of the model.
  std::vector<SaveOutcome> Commit(std::span<const SaveRecord> saves);
  Store& store() { return *store_; }

  // Power fails in the middle of committing `saves`, which nobody is told of, and the store is
  // opened again. Which of them it has then.
  std::vector<bool> Crash(std::span<const SaveRecord> saves);

 private:
  void Open();
  void Compare(const std::string& gid);

  uint64_t seed_;
  const ViolationFn violation_;
  CrashDisk disk_;
  MemoryStore model_;
  std::set<std::string> gids_;
  std::unique_ptr<Store> store_;
};

}  // namespace troth::sim
