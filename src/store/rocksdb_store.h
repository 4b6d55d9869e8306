#pragma once
// The embedded store: one directory on a local disk, used by one process. What Commit acknowledged
// survives power loss; one sync covers a whole batch. Thread-safe as store.h says.
//
// When the disk is full, saves answer kUnknown until there is room again; it looks by itself. Any
// other failed write or sync is final for this process: what the disk holds is then uncertain, so
// nothing more is acknowledged until the process is started again from what is on disk.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "store/store.h"

namespace rocksdb {
class Env;
}

namespace troth {

struct RocksDbOptions {
  std::string path;  // the directory
  bool create_if_missing = true;
  // A full disk is looked at this often, and used again when this much is free.
  Duration recovery_interval = Seconds(1);
  uint64_t recovery_free_bytes = 32 << 20;
  // Records one List looks at before it hands back a position: some 10 ms. Only filters by type or
  // by time look at records they do not want.
  size_t list_scan_max = 20'000;
  // File descriptors held back for when the process has no other: one is used for each megabyte
  // or two of saves.
  size_t spare_files = 128;
  rocksdb::Env* env = nullptr;  // tests: a disk that fails; nullptr: the machine's
};

// Opens or creates the store at `options.path`. Errors say what to do: FailedPrecondition when
// another process uses the directory, it cannot be written, or a newer version wrote it;
// ResourceExhausted when the disk is full; NotFound when it is missing and shall not be created;
// DataLoss when files are damaged.
StatusOr<std::unique_ptr<Store>> OpenRocksDbStore(const RocksDbOptions& options);

}  // namespace troth
