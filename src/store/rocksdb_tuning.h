#pragma once
// RocksDB's settings for the embedded store, each with its reason. Private to this folder.

#include <rocksdb/db.h>

#include <vector>

#include "store/rocksdb_store.h"

namespace troth {

// `env` outlives the database.
rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options, rocksdb::Env* env);
// In the order of rocksdb_layout::Family.
std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies();

}  // namespace troth
