#include "failing_disk.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"

namespace troth {
namespace {

using rocksdb::Slice;

// Runs a write between its two points.
template <typename Write>
rocksdb::Status Between(DeathPoints& points,
                        std::string_view what,
                        const std::string& file,
                        Write write) {
  points.Pass("before", what, file);
  rocksdb::Status status = write();
  points.Pass("after", what, file);
  return status;
}

class FailingFile final : public rocksdb::WritableFileWrapper {
 public:
  FailingFile(std::unique_ptr<rocksdb::WritableFile> file,
              std::string name,
              const Faults& faults,
              DeathPoints& points)
      : WritableFileWrapper(file.get()),
        file_(std::move(file)),
        name_(std::move(name)),
        faults_(faults),
        points_(points) {}

  rocksdb::Status Append(const Slice& bytes) override {
    Remember(file_->GetFileSize(), bytes.size());
    return Between(points_, "write", name_, [&] { return file_->Append(bytes); });
  }
  rocksdb::Status Append(const Slice& bytes,
                         const rocksdb::DataVerificationInfo& /*checksum*/) override {
    return Append(bytes);
  }
  rocksdb::Status PositionedAppend(const Slice& bytes, uint64_t offset) override {
    Remember(offset, bytes.size());
    return Between(points_, "write", name_, [&] { return file_->PositionedAppend(bytes, offset); });
  }
  rocksdb::Status Truncate(uint64_t size) override {
    return Between(points_, "truncation", name_, [&] { return file_->Truncate(size); });
  }
  rocksdb::Status Sync() override {
    return SyncWith([this] { return file_->Sync(); });
  }
  rocksdb::Status Fsync() override {
    return SyncWith([this] { return file_->Fsync(); });
  }
  rocksdb::Status Close() override {
    return Between(points_, "close", name_, [&] { return file_->Close(); });
  }

 private:
  struct Range {
    uint64_t offset = 0;
    size_t size = 0;
  };

  void Remember(uint64_t offset, size_t size) {
    std::lock_guard lock(mutex_);
    unsynced_.push_back({offset, size});
  }

  template <typename SyncFile>
  rocksdb::Status SyncWith(SyncFile sync) {
    std::this_thread::sleep_for(std::chrono::milliseconds(faults_.sync_delay_ms));
    if (faults_.sync_fails != 0) return LoseUnsynced();
    const rocksdb::Status synced = Between(points_, "sync", name_, sync);
    std::lock_guard lock(mutex_);
    if (synced.ok()) unsynced_.clear();
    return synced;
  }

  // As a kernel does that could not write its pages: they are dropped, and the next sync would
  // report success.
  rocksdb::Status LoseUnsynced() {
    std::lock_guard lock(mutex_);
    for (const Range& range : unsynced_) {
      const std::string zeros(range.size, '\0');
      const rocksdb::Status lost = file_->PositionedAppend(zeros, range.offset);
      if (!lost.ok()) return lost;
    }
    unsynced_.clear();
    return rocksdb::Status::IOError(name_, "Input/output error");
  }

  const std::unique_ptr<rocksdb::WritableFile> file_;
  const std::string name_;
  const Faults& faults_;
  DeathPoints& points_;
  std::mutex mutex_;
  std::vector<Range> unsynced_;  // grows until the next sync; RocksDB syncs each file at its end
};

class FailingDirectory final : public rocksdb::Directory {
 public:
  FailingDirectory(std::unique_ptr<rocksdb::Directory> directory,
                   std::string name,
                   DeathPoints& points)
      : directory_(std::move(directory)), name_(std::move(name)), points_(points) {}

  rocksdb::Status Fsync() override {
    return Between(points_, "sync", name_, [this] { return directory_->Fsync(); });
  }

 private:
  const std::unique_ptr<rocksdb::Directory> directory_;
  const std::string name_;
  DeathPoints& points_;
};

class FailingEnv final : public rocksdb::EnvWrapper {
 public:
  FailingEnv(const Faults& faults, DeathPoints& points)
      : EnvWrapper(rocksdb::Env::Default()), faults_(faults), points_(points) {}

  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    return Wrap(name, EnvWrapper::NewWritableFile(name, file, options), file);
  }
  rocksdb::Status ReuseWritableFile(const std::string& name,
                                    const std::string& old_name,
                                    std::unique_ptr<rocksdb::WritableFile>* file,
                                    const rocksdb::EnvOptions& options) override {
    return Wrap(name, EnvWrapper::ReuseWritableFile(name, old_name, file, options), file);
  }
  rocksdb::Status NewDirectory(const std::string& name,
                               std::unique_ptr<rocksdb::Directory>* directory) override {
    rocksdb::Status opened = EnvWrapper::NewDirectory(name, directory);
    if (opened.ok()) {
      *directory = std::make_unique<FailingDirectory>(std::move(*directory), name, points_);
    }
    return opened;
  }
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override {
    return Between(points_, "renaming", to, [&] { return EnvWrapper::RenameFile(from, to); });
  }

 private:
  rocksdb::Status Wrap(const std::string& name,
                       rocksdb::Status opened,
                       std::unique_ptr<rocksdb::WritableFile>* file) {
    if (!opened.ok()) return opened;
    *file = std::make_unique<FailingFile>(std::move(*file), name, faults_, points_);
    return opened;
  }

  const Faults& faults_;
  DeathPoints& points_;
};

}  // namespace

void DeathPoints::Pass(std::string_view moment, std::string_view what, std::string_view file) {
  if (die_at_ == 0 || ++passed_ != die_at_) return;
  const std::string line =
      Cat("dies ", moment, " ", what, " of ", file.substr(file.rfind('/') + 1), "\n");
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) _exit(1);
  kill(getpid(), SIGKILL);
  // Another thread must not go on meanwhile.
  for (;;) pause();
}

std::unique_ptr<rocksdb::Env> MakeFailingDisk(const Faults& faults, DeathPoints& points) {
  return std::make_unique<FailingEnv>(faults, points);
}

}  // namespace troth
