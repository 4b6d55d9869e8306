#pragma once
// For the tests of the embedded store: a directory that goes away, a disk that fills up or fails,
// and saves to put there.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "store/store.h"

namespace rocksdb {
class Env;
}

namespace troth {

// An empty directory, removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What may go wrong with a disk. Any thread may change it.
struct DiskFaults {
  static constexpr int64_t kPlenty = INT64_MAX;

  std::atomic<int64_t> free_bytes = kPlenty;  // what does not fit is cut off, then "no space"
  std::atomic<bool> log_writes_fail = false;  // RocksDB's write-ahead log only
  std::atomic<bool> log_syncs_fail = false;
};

// The machine's disk with faults, for RocksDbOptions::env. It works alike for root and in any
// container.
class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();

  DiskFaults faults;
  rocksdb::Env* env() { return env_.get(); }

 private:
  std::unique_ptr<rocksdb::Env> env_;
};

SaveRecord MakeCreation(std::string_view gid);
SaveRecord MakeEnding(std::string_view gid);  // of version 1

}  // namespace troth
