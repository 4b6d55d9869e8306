#include "store/rocksdb_test_util.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/random.h"
#include "base/text.h"

namespace troth {

ScratchDirectory::ScratchDirectory() {
  Random random = Random::FromDevice();
  path_ = std::filesystem::temp_directory_path() / ("troth-test-" + NewUuid(random));
  std::filesystem::create_directories(path_);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

namespace {

rocksdb::Status BrokenDisk() { return rocksdb::Status::IOError("disk", "Input/output error"); }

class FaultyFile final : public rocksdb::WritableFileWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::WritableFile> file, bool is_log, DiskFaults& faults)
      : WritableFileWrapper(file.get()), file_(std::move(file)), is_log_(is_log), faults_(faults) {}

  rocksdb::Status Append(const rocksdb::Slice& bytes) override {
    return Write(bytes, [this](const rocksdb::Slice& part) { return file_->Append(part); });
  }
  rocksdb::Status PositionedAppend(const rocksdb::Slice& bytes, uint64_t offset) override {
    return Write(bytes, [this, offset](const rocksdb::Slice& part) {
      return file_->PositionedAppend(part, offset);
    });
  }
  rocksdb::Status Append(const rocksdb::Slice& bytes,
                         const rocksdb::DataVerificationInfo& /*checksum*/) override {
    return Append(bytes);
  }
  rocksdb::Status Sync() override { return SyncFails() ? BrokenDisk() : file_->Sync(); }
  rocksdb::Status Fsync() override { return SyncFails() ? BrokenDisk() : file_->Fsync(); }

 private:
  template <typename WritePart>
  rocksdb::Status Write(const rocksdb::Slice& bytes, WritePart write) {
    const auto wanted = static_cast<int64_t>(bytes.size());
    const int64_t fits = std::min(wanted, TakeRoom(wanted));
    const rocksdb::Status appended = write(rocksdb::Slice(bytes.data(), static_cast<size_t>(fits)));
    if (is_log_ && faults_.log_writes_fail) return BrokenDisk();  // written or not: who knows
    return fits < wanted && appended.ok() ? rocksdb::Status::NoSpace("disk") : appended;
  }

  bool SyncFails() const { return is_log_ && faults_.log_syncs_fail; }

  // What was free before `wanted` bytes were taken; never below 0.
  int64_t TakeRoom(int64_t wanted) {
    int64_t free = faults_.free_bytes;
    if (free == DiskFaults::kPlenty) return free;
    while (!faults_.free_bytes.compare_exchange_weak(free, std::max<int64_t>(free - wanted, 0))) {
    }
    return free;
  }

  const std::unique_ptr<rocksdb::WritableFile> file_;
  const bool is_log_;
  DiskFaults& faults_;
};

class FaultyEnv final : public rocksdb::EnvWrapper {
 public:
  explicit FaultyEnv(DiskFaults& faults) : EnvWrapper(rocksdb::Env::Default()), faults_(faults) {}

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
  rocksdb::Status GetFreeSpace(const std::string& path, uint64_t* bytes) override {
    const rocksdb::Status status = EnvWrapper::GetFreeSpace(path, bytes);
    *bytes = std::min(*bytes, static_cast<uint64_t>(faults_.free_bytes.load()));
    return status;
  }

 private:
  rocksdb::Status Wrap(const std::string& name,
                       const rocksdb::Status& opened,
                       std::unique_ptr<rocksdb::WritableFile>* file) {
    if (!opened.ok()) return opened;
    *file = std::make_unique<FaultyFile>(std::move(*file), name.ends_with(".log"), faults_);
    return opened;
  }

  DiskFaults& faults_;
};

}  // namespace

FaultyDisk::FaultyDisk() : env_(std::make_unique<FaultyEnv>(faults)) {}
FaultyDisk::~FaultyDisk() = default;

SaveRecord MakeCreation(std::string_view gid) {
  SaveRecord save;
  save.gid = gid;
  save.version = 1;
  save.index.status = TransStatus::kSubmitted;
  save.index.create_time = save.index.update_time = FromMicros(1'800'000'000'000'000);
  save.index.due = save.index.create_time + Seconds(10);
  save.fixed = Cat("fixed of ", gid);
  save.page = Cat("page of ", gid);
  save.state = "open";
  return save;
}

SaveRecord MakeEnding(std::string_view gid) {
  SaveRecord save = MakeCreation(gid);
  save.expected_version = 1;
  save.version = 2;
  save.index.status = TransStatus::kSucceeded;
  save.fixed.clear();
  save.page.clear();
  save.state = "ended";
  return save;
}

}  // namespace troth
