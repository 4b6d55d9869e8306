#include "store/rocksdb_log_env.h"

#include <rocksdb/env.h>

#include <string>
#include <utility>

namespace troth {
namespace {

// Large enough to come seldom, small enough not to be felt in the sync that takes it along.
constexpr uint64_t kStepBytes = 256 << 10;
// Zeros are written by the page: the kernel keeps a large write as one large page, and then counts
// all of it as written whenever a few bytes of it change.
constexpr size_t kPageBytes = 4096;

const std::string& ZeroPage() {
  static const std::string zeros(kPageBytes, '\0');
  return zeros;
}

class ZeroedLog final : public rocksdb::WritableFileWrapper {
 public:
  // `exists`: bytes that the file has already, of a log that is not needed any more.
  ZeroedLog(std::unique_ptr<rocksdb::WritableFile> file, uint64_t exists)
      : WritableFileWrapper(file.get()), file_(std::move(file)), exists_(exists) {}

  rocksdb::Status Append(const rocksdb::Slice& bytes) override {
    rocksdb::Status status;
    while (status.ok() && exists_ < written_ + bytes.size()) status = WriteZeros();
    if (status.ok()) status = file_->PositionedAppend(bytes, written_);
    if (status.ok()) written_ += bytes.size();
    return status;
  }
  rocksdb::Status Append(const rocksdb::Slice& bytes,
                         const rocksdb::DataVerificationInfo& /*checksum*/) override {
    return Append(bytes);
  }
  rocksdb::Status Close() override {
    const rocksdb::Status cut = file_->Truncate(written_);
    const rocksdb::Status closed = file_->Close();
    return cut.ok() ? closed : cut;
  }
  uint64_t GetFileSize() override { return written_; }

 private:
  // A full disk is met here, where nothing of the log is lost by it.
  rocksdb::Status WriteZeros() {
    rocksdb::Status status;
    for (uint64_t end = exists_ + kStepBytes; status.ok() && exists_ < end;) {
      status = file_->PositionedAppend(ZeroPage(), exists_);
      if (status.ok()) exists_ += kPageBytes;
    }
    return status;
  }

  const std::unique_ptr<rocksdb::WritableFile> file_;
  uint64_t exists_;
  uint64_t written_ = 0;
};

class LogEnv final : public rocksdb::EnvWrapper {
 public:
  using EnvWrapper::EnvWrapper;

  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    const rocksdb::Status opened = EnvWrapper::NewWritableFile(name, file, options);
    return Wrap(name, 0, opened, file);
  }
  rocksdb::Status ReuseWritableFile(const std::string& name,
                                    const std::string& old_name,
                                    std::unique_ptr<rocksdb::WritableFile>* file,
                                    const rocksdb::EnvOptions& options) override {
    uint64_t exists = 0;
    if (!GetFileSize(old_name, &exists).ok()) exists = 0;  // the worst: zeros once more
    const rocksdb::Status opened = EnvWrapper::ReuseWritableFile(name, old_name, file, options);
    return Wrap(name, exists, opened, file);
  }

 private:
  static rocksdb::Status Wrap(const std::string& name,
                              uint64_t exists,
                              const rocksdb::Status& opened,
                              std::unique_ptr<rocksdb::WritableFile>* file) {
    if (opened.ok() && name.ends_with(".log")) {
      *file = std::make_unique<ZeroedLog>(std::move(*file), exists);
    }
    return opened;
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> MakeLogEnv(rocksdb::Env* base) {
  return std::make_unique<LogEnv>(base);
}

}  // namespace troth
