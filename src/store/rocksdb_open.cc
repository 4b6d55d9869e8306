#include <rocksdb/db.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "store/rocksdb_impl.h"
#include "store/rocksdb_log_env.h"
#include "store/rocksdb_spare_files.h"
#include "store/rocksdb_tuning.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

namespace {

Status PrepareDirectory(const RocksDbOptions& options) {
  const std::filesystem::path path(options.path);
  std::error_code error;
  if (options.path.empty()) return InvalidArgument("the store's directory has no name");
  if (!std::filesystem::exists(path, error)) {
    if (!options.create_if_missing) {
      return NotFound(Cat("there is no store at ", options.path, ": check the path"));
    }
    std::filesystem::create_directories(path, error);
    if (error) {
      return FailedPrecondition(Cat("cannot create the store's directory ",
                                    options.path,
                                    ": ",
                                    error.message(),
                                    "; choose another or correct its parent"));
    }
  }
  if (!std::filesystem::is_directory(path, error)) {
    return FailedPrecondition(
        Cat("the store's path ", options.path, " is not a directory: choose another"));
  }
  if (access(options.path.c_str(), R_OK | W_OK | X_OK) != 0) {
    const std::error_code reason(errno, std::generic_category());
    return FailedPrecondition(Cat("cannot write to the store's directory ",
                                  options.path,
                                  ": ",
                                  reason.message(),
                                  "; correct its owner or mode"));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenRocksDbStore(const RocksDbOptions& options) {
  return RocksDbStore::Open(options);
}

StatusOr<std::unique_ptr<Store>> RocksDbStore::Open(const RocksDbOptions& options) {
  std::unique_ptr<RocksDbStore> store(new RocksDbStore(options));
  TROTH_RETURN_IF_ERROR(PrepareDirectory(options));
  TROTH_RETURN_IF_ERROR(store->OpenDatabase());
  TROTH_RETURN_IF_ERROR(store->CheckFormat());
  TROTH_RETURN_IF_ERROR(store->FillIndex());
  TROTH_RETURN_IF_ERROR(store->ReadLastSequence());
  store->recovery_ = std::thread([raw = store.get()] { raw->RecoverWhileOpen(); });
  return store;
}

RocksDbStore::RocksDbStore(const RocksDbOptions& options)
    : options_(options),
      spare_files_(MakeSpareFilesEnv(options.env != nullptr ? options.env : rocksdb::Env::Default(),
                                     options.spare_files)),
      env_(MakeLogEnv(spare_files_.get())) {}

RocksDbStore::~RocksDbStore() {
  {
    absl::MutexLock lock(&failure_mutex_);
    closing_ = true;
  }
  if (recovery_.joinable()) recovery_.join();
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : families_) db_->DestroyColumnFamilyHandle(handle);
}

Status RocksDbStore::OpenDatabase() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(
      MakeDbOptions(options_, env_.get()), options_.path, MakeFamilies(), &handles, &db);
  if (!opened.ok()) return OpenError(opened);
  db_.reset(db);
  std::copy(handles.begin(), handles.end(), families_.begin());
  return OkStatus();
}

Status RocksDbStore::OpenError(const rocksdb::Status& status) const {
  const std::string reason = status.ToString();
  if (status.IsNoSpace()) {
    return ResourceExhausted(Cat("cannot open the store at ",
                                 options_.path,
                                 ": the disk is full; free space there and start again"));
  }
  if (status.IsIOError() && reason.find("LOCK") != std::string::npos) {
    return FailedPrecondition(Cat("another process is using the store at ",
                                  options_.path,
                                  ": stop it or give this one a directory of its own (",
                                  reason,
                                  ")"));
  }
  if (status.IsCorruption()) {
    return DataLoss(
        Cat("the store at ", options_.path, " is damaged: ", reason, "; restore it from a backup"));
  }
  if (status.IsInvalidArgument()) {
    return FailedPrecondition(
        Cat("the store at ", options_.path, " was written by another version: ", reason));
  }
  return Unavailable(Cat("cannot open the store at ", options_.path, ": ", reason));
}

// A new store gets our format's number; one of a newer format is left alone.
Status RocksDbStore::CheckFormat() {
  absl::MutexLock lock(&write_mutex_);
  std::string bytes;
  const rocksdb::Status read = db_->Get({}, family(kDefault), ToSlice(kFormatKey), &bytes);
  if (read.IsNotFound()) {
    AppendNumber(bytes, kFormat);
    batch_.Put(family(kDefault), ToSlice(kFormatKey), bytes);
    const rocksdb::WriteOptions synced = [] {
      rocksdb::WriteOptions options;
      options.sync = true;
      return options;
    }();
    const rocksdb::Status written = db_->Write(synced, &batch_);
    return written.ok() ? OkStatus() : OpenError(written);
  }
  if (!read.ok()) return OpenError(read);
  uint64_t format = 0;
  if (!DecodeNumber(bytes, &format) || format == 0) {
    return DataLoss(Cat("the store at ", options_.path, " is damaged: it does not say its format"));
  }
  if (format > kFormat) {
    return FailedPrecondition(Cat("the store at ",
                                  options_.path,
                                  " has format ",
                                  format,
                                  ", this server knows formats up to ",
                                  kFormat,
                                  ": run the newer version that wrote it"));
  }
  return OkStatus();
}

// Reads every unfinished transaction's row, and nothing else. What a server was working on when it
// ended is due at once, since this store has no other server, and so is what waits for another try:
// much may have come back meanwhile.
Status RocksDbStore::FillIndex() {
  absl::MutexLock lock(&index_mutex_);
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, family(kActive)));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    const uint64_t sequence = SequenceOf(ToView(rows->key()));
    Row row;
    if (!DecodeRow(sequence, ToView(rows->value()), &row)) return DamagedRow(sequence);
    const bool at_once = row.index.leased || row.index.waits_for_retry;
    unfinished_.Add({.gid = std::string(row.gid),
                     .sequence = sequence,
                     .version = row.version,
                     .status = row.index.status,
                     .due = at_once ? TimePoint() : row.index.due,
                     .has_parts = row.has_parts});
  }
  return rows->status().ok() ? OkStatus() : OpenError(rows->status());
}

Status RocksDbStore::ReadLastSequence() {
  absl::MutexLock lock(&write_mutex_);
  for (const Family rows_family : {kActive, kSucceeded, kFailed}) {
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, family(rows_family)));
    rows->SeekToLast();
    if (rows->Valid()) last_sequence_ = std::max(last_sequence_, SequenceOf(ToView(rows->key())));
    if (!rows->status().ok()) return OpenError(rows->status());
  }
  std::string bytes;
  const rocksdb::Status read = db_->Get({}, family(kDefault), ToSlice(kLeadKey), &bytes);
  if (read.IsNotFound()) return OkStatus();
  uint64_t lead = 0;
  if (!read.ok()) return OpenError(read);
  if (!DecodeNumber(bytes, &lead)) {
    return DataLoss(Cat("the store at ", options_.path, " is damaged: its lead is not a number"));
  }
  lead_ = lead;
  return OkStatus();
}

}  // namespace troth
