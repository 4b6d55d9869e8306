#include "store/rocksdb_tuning.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <memory>

#include "store/rocksdb_layout.h"

namespace troth {
namespace {

// Opening replays the log: its size bounds how long that takes (about a second).
constexpr uint64_t kLogBytesMax = 128 << 20;
// Documents and rows read lately; transactions at work are in the engine's memory anyway.
constexpr size_t kBlockCacheBytes = 16 << 20;
// A table in memory that the processor's caches hold: larger ones cost more to search and save
// nothing.
constexpr size_t kTableBytes = 2 << 20;
// A new gid is looked for in half a dozen files, and a false hit in one costs a read: with 10 bits
// one gid in twenty would have one, with 14 one in a hundred.
constexpr int kBloomBitsPerGid = 14;

rocksdb::ColumnFamilyOptions Rows(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = kTableBytes;
  options.max_write_buffer_number = 4;
  options.level_compaction_dynamic_level_bytes = true;  // a tenth of garbage at most
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 16 << 10;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// Nearly all rows come and go within one table in memory, so that little is left of it in its file.
// A merge of such files rewrites the rows of all who wait, which may be hundreds of thousands: it
// has to be rare. Many files cost nothing: all are read at the start, else single rows.
rocksdb::ColumnFamilyOptions ActiveRows(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options = Rows(cache);
  options.level0_file_num_compaction_trigger = 32;
  options.level0_slowdown_writes_trigger = 64;
  options.level0_stop_writes_trigger = 96;
  return options;
}

// Asked for every new gid, which is nearly never there: the filter answers from memory.
rocksdb::ColumnFamilyOptions Gids(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options = Rows(cache);
  options.compression = rocksdb::kNoCompression;  // gids are random
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerGid));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options, rocksdb::Env* env) {
  rocksdb::DBOptions db;
  db.env = env;
  db.create_if_missing = options.create_if_missing;
  db.create_missing_column_families = options.create_if_missing;

  // The log. A crash may tear its end, which was never acknowledged; files are used again because
  // overwriting spares the file system a journal entry at each sync.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.max_total_wal_size = kLogBytesMax;
  db.recycle_log_file_num = 2;

  // One writer at a time: nothing to arrange between writers.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  db.enable_pipelined_write = false;

  // Background threads keep their priority: beside a busy shard on one core, lowered ones starve
  // until writes have to wait for them.
  db.max_background_jobs = 2;
  db.bytes_per_sync = 1 << 20;
  db.avoid_unnecessary_blocking_io = true;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;

  // RocksDB's own log in the same directory.
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.max_log_file_size = 4 << 20;
  db.keep_log_file_num = 3;
  return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies() {
  using namespace rocksdb_layout;  // NOLINT: the names of the families
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes, /*num_shard_bits=*/2);
  std::vector<rocksdb::ColumnFamilyDescriptor> families(kFamilyCount);
  families[kDefault].options = Rows(cache);
  families[kGids].options = Gids(cache);
  families[kDocuments].options = Rows(cache);
  families[kActive].options = ActiveRows(cache);
  families[kSucceeded].options = Rows(cache);
  families[kFailed].options = Rows(cache);
  for (size_t i = 0; i < kFamilyCount; ++i) families[i].name = kFamilyNames[i];
  return families;
}

}  // namespace troth
