#include "crash_disk.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/text.h"

namespace troth::sim {
namespace {

namespace fs = std::filesystem;

// What a disk writes whole.
constexpr uint64_t kSectorBytes = 512;

rocksdb::Status NoPower() { return rocksdb::Status::IOError("disk", "Input/output error"); }

// A range of a file as it was before it was written, up to the file's end at that time.
struct Overwritten {
  uint64_t offset = 0;
  uint64_t size = 0;  // of what was written
  std::string before;
  uint64_t file_size_before = 0;
};

// A change of a directory.
struct DirectoryChange {
  enum class Kind : uint8_t { kMade, kRenamed, kDeleted };
  Kind kind = Kind::kMade;
  std::string name;
  std::string old_name;  // kRenamed
  std::string kept;      // where what `name` was before lies now; empty: it was nothing
};

std::string ReadRange(const std::string& name, uint64_t offset, uint64_t size) {
  std::string bytes(size, '\0');
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t read = pread(fd, bytes.data(), size, static_cast<off_t>(offset));
  close(fd);
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(read, 0)));
  return bytes;
}

void WriteRange(const std::string& name, uint64_t offset, std::string_view bytes) {
  const int fd = open(name.c_str(), O_WRONLY | O_CLOEXEC);
  TROTH_CHECK(fd >= 0);
  TROTH_CHECK(pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
              static_cast<ssize_t>(bytes.size()));
  close(fd);
}

uint64_t SizeOf(const std::string& name) {
  std::error_code missing;
  const uintmax_t size = fs::file_size(name, missing);
  return missing ? 0 : size;
}

}  // namespace

// What is not durable yet, and the Env that keeps count of it.
class CrashDisk::Impl final : public rocksdb::EnvWrapper {
 public:
  Impl();
  ~Impl() override { fs::remove_all(root_); }

  const fs::path& root() const { return root_; }
  void CutPower(bool at_next_sync);
  void LoseUnsynced(uint64_t seed);

  // --- from files
  // Runs a write of `size` bytes at `offset`; false power: an error.
  rocksdb::Status Write(const std::string& name,
                        uint64_t offset,
                        uint64_t size,
                        const std::function<rocksdb::Status()>& write);
  rocksdb::Status SyncFile(const std::string& name);
  rocksdb::Status SyncDirectory();

  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status ReuseWritableFile(const std::string& name,
                                    const std::string& old_name,
                                    std::unique_ptr<rocksdb::WritableFile>* file,
                                    const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewDirectory(const std::string& name,
                               std::unique_ptr<rocksdb::Directory>* directory) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;
  rocksdb::Status DeleteFile(const std::string& name) override;

 private:
  // Moves what has that name out of the way; empty when there is nothing.
  std::string Keep(const std::string& name);
  void LoseSectors(const std::string& name, const std::vector<Overwritten>& writes, Random& random);
  void Undo(const DirectoryChange& change);

  fs::path root_;
  std::recursive_mutex mutex_;  // EnvWrapper's functions call each other
  bool power_ = true;
  bool cut_at_next_sync_ = false;
  std::map<std::string, std::vector<Overwritten>> unsynced_;  // by file
  std::vector<DirectoryChange> directory_changes_;
  uint64_t kept_ = 0;
};

namespace {

class CrashFile final : public rocksdb::WritableFileWrapper {
 public:
  CrashFile(std::unique_ptr<rocksdb::WritableFile> file, std::string name, CrashDisk::Impl& disk)
      : WritableFileWrapper(file.get()),
        file_(std::move(file)),
        name_(std::move(name)),
        disk_(disk) {}

  rocksdb::Status Append(const rocksdb::Slice& bytes) override {
    return disk_.Write(name_, SizeOf(name_), bytes.size(), [&] { return file_->Append(bytes); });
  }
  rocksdb::Status Append(const rocksdb::Slice& bytes,
                         const rocksdb::DataVerificationInfo& /*checksum*/) override {
    return Append(bytes);
  }
  rocksdb::Status PositionedAppend(const rocksdb::Slice& bytes, uint64_t offset) override {
    return disk_.Write(
        name_, offset, bytes.size(), [&] { return file_->PositionedAppend(bytes, offset); });
  }
  rocksdb::Status Truncate(uint64_t size) override {
    return disk_.Write(name_, size, 0, [&] { return file_->Truncate(size); });
  }
  rocksdb::Status Sync() override { return disk_.SyncFile(name_); }
  rocksdb::Status Fsync() override { return disk_.SyncFile(name_); }
  rocksdb::Status RangeSync(uint64_t, uint64_t) override { return rocksdb::Status::OK(); }

 private:
  const std::unique_ptr<rocksdb::WritableFile> file_;
  const std::string name_;
  CrashDisk::Impl& disk_;
};

class CrashDirectory final : public rocksdb::Directory {
 public:
  explicit CrashDirectory(CrashDisk::Impl& disk) : disk_(disk) {}
  rocksdb::Status Fsync() override { return disk_.SyncDirectory(); }

 private:
  CrashDisk::Impl& disk_;
};

}  // namespace

CrashDisk::Impl::Impl() : EnvWrapper(rocksdb::Env::Default()) {
  Random random = Random::FromDevice();
  root_ = fs::temp_directory_path() / Cat("troth-sim-", NewUuid(random));
  fs::create_directories(root_ / "store");
  fs::create_directories(root_ / "kept");
}

void CrashDisk::Impl::CutPower(bool at_next_sync) {
  std::lock_guard lock(mutex_);
  if (at_next_sync) {
    cut_at_next_sync_ = true;
  } else {
    power_ = false;
  }
}

rocksdb::Status CrashDisk::Impl::Write(const std::string& name,
                                       uint64_t offset,
                                       uint64_t size,
                                       const std::function<rocksdb::Status()>& write) {
  std::lock_guard lock(mutex_);
  if (!power_) return NoPower();
  const uint64_t file_size = SizeOf(name);
  // A truncation writes nothing and loses the rest.
  const uint64_t end = size == 0 ? file_size : std::min(offset + size, file_size);
  unsynced_[name].push_back(
      {.offset = offset,
       .size = size,
       .before = end > offset ? ReadRange(name, offset, end - offset) : std::string(),
       .file_size_before = file_size});
  return write();
}

rocksdb::Status CrashDisk::Impl::SyncFile(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (std::exchange(cut_at_next_sync_, false)) power_ = false;
  if (!power_) return NoPower();
  unsynced_.erase(name);
  return rocksdb::Status::OK();
}

rocksdb::Status CrashDisk::Impl::SyncDirectory() {
  std::lock_guard lock(mutex_);
  if (!power_) return NoPower();
  for (const DirectoryChange& change : directory_changes_) {
    if (!change.kept.empty()) fs::remove(change.kept);
  }
  directory_changes_.clear();
  return rocksdb::Status::OK();
}

std::string CrashDisk::Impl::Keep(const std::string& name) {
  if (!fs::exists(name)) return {};
  std::string kept = root_ / "kept" / std::to_string(++kept_);
  fs::rename(name, kept);
  return kept;
}

rocksdb::Status CrashDisk::Impl::NewWritableFile(const std::string& name,
                                                 std::unique_ptr<rocksdb::WritableFile>* file,
                                                 const rocksdb::EnvOptions& options) {
  std::lock_guard lock(mutex_);
  if (!power_) return NoPower();
  std::string kept = Keep(name);
  const rocksdb::Status opened = EnvWrapper::NewWritableFile(name, file, options);
  if (!opened.ok()) return opened;
  directory_changes_.push_back({.name = name, .old_name = {}, .kept = std::move(kept)});
  *file = std::make_unique<CrashFile>(std::move(*file), name, *this);
  return opened;
}

rocksdb::Status CrashDisk::Impl::ReuseWritableFile(const std::string& name,
                                                   const std::string& old_name,
                                                   std::unique_ptr<rocksdb::WritableFile>* file,
                                                   const rocksdb::EnvOptions& options) {
  std::lock_guard lock(mutex_);
  if (!power_) return NoPower();
  const rocksdb::Status opened = EnvWrapper::ReuseWritableFile(name, old_name, file, options);
  if (!opened.ok()) return opened;
  directory_changes_.push_back(
      {.kind = DirectoryChange::Kind::kRenamed, .name = name, .old_name = old_name, .kept = {}});
  *file = std::make_unique<CrashFile>(std::move(*file), name, *this);
  return opened;
}

rocksdb::Status CrashDisk::Impl::NewDirectory(const std::string& name,
                                              std::unique_ptr<rocksdb::Directory>* directory) {
  rocksdb::Status opened = EnvWrapper::NewDirectory(name, directory);
  if (opened.ok()) *directory = std::make_unique<CrashDirectory>(*this);
  return opened;
}

rocksdb::Status CrashDisk::Impl::RenameFile(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (!power_) return NoPower();
  std::string kept = Keep(to);
  const rocksdb::Status renamed = EnvWrapper::RenameFile(from, to);
  directory_changes_.push_back({.kind = DirectoryChange::Kind::kRenamed,
                                .name = to,
                                .old_name = from,
                                .kept = std::move(kept)});
  if (const auto moved = unsynced_.extract(from)) unsynced_[to] = moved.mapped();
  return renamed;
}

rocksdb::Status CrashDisk::Impl::DeleteFile(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (!power_) return NoPower();
  std::string kept = Keep(name);
  if (kept.empty()) return rocksdb::Status::NotFound(name);
  directory_changes_.push_back({.kind = DirectoryChange::Kind::kDeleted,
                                .name = name,
                                .old_name = {},
                                .kept = std::move(kept)});
  return rocksdb::Status::OK();
}

void CrashDisk::Impl::LoseUnsynced(uint64_t seed) {
  std::lock_guard lock(mutex_);
  for (const auto& [name, writes] : unsynced_) {
    // By its name, so that what other threads of RocksDB wrote changes nothing here.
    const std::string_view file = std::string_view(name).substr(name.rfind('/') + 1);
    Random random(seed ^ std::hash<std::string_view>{}(file));
    if (fs::exists(name)) LoseSectors(name, writes, random);
  }
  // A journal keeps the order of what changes directories.
  Random random(seed);
  const size_t lasting = random.Below(directory_changes_.size() + 1);
  while (directory_changes_.size() > lasting) {
    Undo(directory_changes_.back());
    directory_changes_.pop_back();
  }
  unsynced_.clear();
  cut_at_next_sync_ = false;
  power_ = true;
  static_cast<void>(SyncDirectory());
}

// Newest first, so that a sector shows some state that it had since the last sync.
void CrashDisk::Impl::LoseSectors(const std::string& name,
                                  const std::vector<Overwritten>& writes,
                                  Random& random) {
  // All, some or none of it.
  const uint64_t lost_of_four = random.Below(5);
  for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
    const uint64_t size = std::max<uint64_t>(write->size, write->before.size());
    for (uint64_t at = 0; at < size; at += kSectorBytes) {
      if (random.Below(4) >= lost_of_four) continue;
      const uint64_t length = std::min(kSectorBytes, size - at);
      std::string before = at < write->before.size() ? write->before.substr(at, length) : "";
      before.resize(length);  // what was not there reads as zeros, if the file has grown over it
      WriteRange(name, write->offset + at, before);
    }
    if (random.Below(4) < lost_of_four) fs::resize_file(name, write->file_size_before);
  }
}

void CrashDisk::Impl::Undo(const DirectoryChange& change) {
  using Kind = DirectoryChange::Kind;
  std::error_code gone;  // it may have been renamed or deleted since, which is undone by now
  if (change.kind == Kind::kMade) fs::remove(change.name, gone);
  if (change.kind == Kind::kRenamed) fs::rename(change.name, change.old_name, gone);
  if (!change.kept.empty()) fs::rename(change.kept, change.name);
}

CrashDisk::CrashDisk() : impl_(std::make_unique<Impl>()) {}
CrashDisk::~CrashDisk() = default;

rocksdb::Env* CrashDisk::env() const { return impl_.get(); }
fs::path CrashDisk::path() const { return impl_->root() / "store"; }
void CrashDisk::CutPowerAtNextSync() { impl_->CutPower(/*at_next_sync=*/true); }
void CrashDisk::CutPower() { impl_->CutPower(/*at_next_sync=*/false); }
void CrashDisk::LoseUnsynced(uint64_t seed) { impl_->LoseUnsynced(seed); }

}  // namespace troth::sim
