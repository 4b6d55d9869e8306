#pragma once
// A disk for RocksDB that loses power. Everything written since the last sync of a file may then be
// there or not, sector by sector; of the files that were made, renamed and deleted since the last
// sync of the directory only the first few may be. Nothing is really synced, so it is fast.
//
// Files are the machine's, in a directory of its own. Thread-safe, but for LoseUnsynced.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace rocksdb {
class Env;
}

namespace troth::sim {

class CrashDisk {
 public:
  CrashDisk();
  ~CrashDisk();
  CrashDisk(const CrashDisk&) = delete;
  CrashDisk& operator=(const CrashDisk&) = delete;

  rocksdb::Env* env() const;
  // Where a database may live.
  std::filesystem::path path() const;

  // Power fails at the next sync: it fails, and nothing is written from then on.
  void CutPowerAtNextSync();
  // Power fails now.
  void CutPower();
  // Once the database is closed: `seed` decides what is lost. Then there is power again.
  void LoseUnsynced(uint64_t seed);

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace troth::sim
