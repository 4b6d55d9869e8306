#pragma once
// Writes RocksDB's log into space that exists already. A sync of a file that has grown must also
// write the file system's own records of it; one of bytes that were there before writes just those
// and takes half the time. So zeros are written ahead of the log, a step at a time.
//
// A log that a crash left with zeros at its end is read as one that ends before them: RocksDB skips
// records of type zero.

#include <memory>

namespace rocksdb {
class Env;
}

namespace troth {

// An environment like `base`, which outlives it, for the store's database.
std::unique_ptr<rocksdb::Env> MakeLogEnv(rocksdb::Env* base);

}  // namespace troth
