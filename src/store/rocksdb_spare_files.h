#pragma once
// File descriptors kept for the embedded store. RocksDB opens files all along, and takes one that
// it cannot open for a broken disk: nothing is acknowledged from then on. When a process has no
// descriptor left, for its clients have them all, that is no reason to stop. So some are held back,
// and given to RocksDB when there are no others.

#include <cstddef>
#include <memory>

namespace rocksdb {
class Env;
}

namespace troth {

// An environment like `base`, which outlives it, that opens files with the `count` descriptors held
// back since now where there are no others, and holds as many back again once there are. Any
// thread.
std::unique_ptr<rocksdb::Env> MakeSpareFilesEnv(rocksdb::Env* base, size_t count);

}  // namespace troth
