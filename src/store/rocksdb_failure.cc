#include <rocksdb/env.h>

#include "absl/time/time.h"
#include "base/log.h"
#include "base/text.h"
#include "store/rocksdb_impl.h"

namespace troth {

Status RocksDbStore::Health() {
  absl::MutexLock lock(&failure_mutex_);
  return failure_status_;
}

Status RocksDbStore::Write(rocksdb::WriteBatch& batch, Sync sync) {
  TROTH_RETURN_IF_ERROR(Health());
  rocksdb::WriteOptions options;
  options.sync = sync == Sync::kYes;
  const rocksdb::Status written = db_->Write(options, &batch);
  if (written.ok()) return OkStatus();
  Fail(written);
  return Health();
}

// A full disk leaves what was acknowledged intact, and RocksDB has not applied the batch. After any
// other error nobody knows what the disk kept: the kernel may have dropped pages it could not
// write, and the next sync would report success all the same.
void RocksDbStore::Fail(const rocksdb::Status& status) {
  absl::MutexLock lock(&failure_mutex_);
  if (failure_ == Failure::kFinal) return;
  if (status.IsNoSpace()) {
    failure_ = Failure::kDiskFull;
    failure_status_ = ResourceExhausted(
        Cat("the disk of the store at ",
            options_.path,
            " is full: free space there, saves go on by themselves as soon as there is room"));
  } else {
    failure_ = Failure::kFinal;
    failure_status_ = Unavailable(
        Cat("the store at ",
            options_.path,
            " could not make a save durable (",
            status.ToString(),
            ") and acknowledges nothing more: check the disk, then start the server again"));
  }
  LogError("store stopped", {{"error", failure_status_}});
}

void RocksDbStore::RecoverWhileOpen() {
  while (WaitForFullDisk()) {
    if (HasRoom()) Resumed(db_->Resume());
  }
}

// True after a while of full disk; false when the store closes.
bool RocksDbStore::WaitForFullDisk() {
  absl::MutexLock lock(&failure_mutex_);
  const auto full = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(failure_mutex_) {
    return closing_ || failure_ == Failure::kDiskFull;
  };
  failure_mutex_.Await(absl::Condition(&full));
  failure_mutex_.AwaitWithTimeout(absl::Condition(&closing_),
                                  absl::FromChrono(options_.recovery_interval));
  return !closing_;
}

bool RocksDbStore::HasRoom() const {
  uint64_t free = 0;
  return db_->GetEnv()->GetFreeSpace(options_.path, &free).ok() &&
         free >= options_.recovery_free_bytes;
}

// `status` is RocksDB's answer to an attempt to write out what it has in memory.
void RocksDbStore::Resumed(const rocksdb::Status& status) {
  if (status.ok()) {
    absl::MutexLock lock(&failure_mutex_);
    if (failure_ != Failure::kDiskFull) return;
    failure_ = Failure::kNone;
    failure_status_ = OkStatus();
    LogInfo("store goes on, the disk has room again", {{"path", options_.path}});
  } else if (!status.IsNoSpace() && !status.IsBusy()) {
    Fail(status);
  }
}

Status RocksDbStore::ReadError(const rocksdb::Status& status) const {
  const std::string text =
      Cat("cannot read from the store at ", options_.path, ": ", status.ToString());
  return status.IsCorruption() ? DataLoss(text) : Unavailable(text);
}

Status RocksDbStore::DamagedRow(uint64_t sequence) const {
  return DataLoss(Cat("record ",
                      sequence,
                      " of the store at ",
                      options_.path,
                      " is damaged: restore the store from a backup"));
}

}  // namespace troth
