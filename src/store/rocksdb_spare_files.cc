#include "store/rocksdb_spare_files.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"

namespace troth {
namespace {

int OpenAny() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

// RocksDB's status has the text of errno alone. To try whether there is one now would not tell: the
// next moment somebody may close a file.
bool NoneWasLeft(const rocksdb::Status& status) {
  static const std::string text = std::generic_category().message(EMFILE);
  return status.IsIOError() && status.ToString().find(text) != std::string::npos;
}

class SpareFiles {
 public:
  explicit SpareFiles(size_t count) : count_(count) { Refill(); }
  ~SpareFiles() {
    for (const int fd : spares_) ::close(fd);
  }
  SpareFiles(const SpareFiles&) = delete;
  SpareFiles& operator=(const SpareFiles&) = delete;

  void Refill() {
    absl::MutexLock lock(&mutex_);
    while (spares_.size() < count_) {
      const int fd = OpenAny();
      if (fd < 0) return;
      spares_.push_back(fd);
    }
  }

  // False when there is none either. The lowest first: the limit, which is on their numbers, may
  // have been lowered.
  bool GiveOne() {
    absl::MutexLock lock(&mutex_);
    if (spares_.empty()) return false;
    const auto lowest = std::min_element(spares_.begin(), spares_.end());
    ::close(*lowest);
    spares_.erase(lowest);
    LogWarn("no file descriptor is left for the store but those held back for it",
            {{"held_back", spares_.size()},
             {"hint", "raise the limit of open files (ulimit -n, LimitNOFILE)"}});
    return true;
  }

 private:
  const size_t count_;
  absl::Mutex mutex_;
  std::vector<int> spares_ ABSL_GUARDED_BY(mutex_);
};

class SpareFilesEnv final : public rocksdb::EnvWrapper {
 public:
  SpareFilesEnv(rocksdb::Env* base, size_t count) : EnvWrapper(base), spares_(count) {}

  rocksdb::Status NewSequentialFile(const std::string& name,
                                    std::unique_ptr<rocksdb::SequentialFile>* file,
                                    const rocksdb::EnvOptions& options) override {
    return Open([&] { return EnvWrapper::NewSequentialFile(name, file, options); });
  }
  rocksdb::Status NewRandomAccessFile(const std::string& name,
                                      std::unique_ptr<rocksdb::RandomAccessFile>* file,
                                      const rocksdb::EnvOptions& options) override {
    return Open([&] { return EnvWrapper::NewRandomAccessFile(name, file, options); });
  }
  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    return Open([&] { return EnvWrapper::NewWritableFile(name, file, options); });
  }
  rocksdb::Status ReuseWritableFile(const std::string& name,
                                    const std::string& old_name,
                                    std::unique_ptr<rocksdb::WritableFile>* file,
                                    const rocksdb::EnvOptions& options) override {
    return Open([&] {
      // Tried a second time, it has its new name already.
      const std::string& now = EnvWrapper::FileExists(old_name).ok() ? old_name : name;
      return EnvWrapper::ReuseWritableFile(name, now, file, options);
    });
  }
  rocksdb::Status NewDirectory(const std::string& name,
                               std::unique_ptr<rocksdb::Directory>* directory) override {
    return Open([&] { return EnvWrapper::NewDirectory(name, directory); });
  }

 private:
  // Whoever else looks for a descriptor may be faster: then one more is given.
  template <typename OpenFile>
  rocksdb::Status Open(const OpenFile& open) {
    rocksdb::Status opened = open();
    while (NoneWasLeft(opened) && spares_.GiveOne()) opened = open();
    if (opened.ok()) spares_.Refill();
    return opened;
  }

  SpareFiles spares_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> MakeSpareFilesEnv(rocksdb::Env* base, size_t count) {
  return std::make_unique<SpareFilesEnv>(base, count);
}

}  // namespace troth
