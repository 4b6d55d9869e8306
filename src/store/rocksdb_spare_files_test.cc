// The embedded store in a process whose clients have taken every file descriptor.

#include "store/rocksdb_spare_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "store/rocksdb_store.h"
#include "store/rocksdb_test_util.h"

namespace troth {
namespace {

// Takes what descriptors there are below a limit that a test can reach.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &lower);
    while (Take()) {
    }
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

  bool Take() {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) taken_.push_back(fd);
    return fd >= 0;
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

class SpareFilesTest : public testing::Test {
 protected:
  void Reopen(size_t spare_files) {
    store_.reset();
    auto store = OpenRocksDbStore({.path = scratch_.path(), .spare_files = spare_files});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  // Each a quarter of what RocksDB has in memory before it begins another file.
  SaveOutcome CommitLarge(int number) {
    SaveRecord save = MakeCreation(Cat("large", number));
    save.page.assign(512 << 10, static_cast<char>('a' + number % 26));
    return store_->Commit({&save, 1})[0];
  }

  const ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
};

TEST_F(SpareFilesTest, TheStoreGoesOnWithTheFilesHeldBackForIt) {
  constexpr int kSaves = 24;
  ASSERT_NO_FATAL_FAILURE(Reopen(32));
  {
    NoDescriptors none;
    for (int i = 0; i < kSaves; ++i) {
      const SaveOutcome saved = CommitLarge(i);
      ASSERT_EQ(saved.result, SaveResult::kStored) << i << ": " << saved.error;
      none.Take();  // one that the store has closed
    }
    EXPECT_TRUE(store_->Health().ok()) << store_->Health();
  }
  ASSERT_EQ(CommitLarge(kSaves).result, SaveResult::kStored);
  ASSERT_NO_FATAL_FAILURE(Reopen(32));
  for (int i = 0; i <= kSaves; ++i) {
    const auto record = store_->Load(Cat("large", i));
    ASSERT_TRUE(record.ok()) << record.status();
    EXPECT_TRUE(record->has_value()) << i;
  }
}

TEST_F(SpareFilesTest, SomeAreHeldBackAgainWhenThereAreOthers) {
  ASSERT_NO_FATAL_FAILURE(Reopen(16));
  int number = 0;
  const auto commit = [&](int count) {
    for (const int end = number + count; number < end; ++number) {
      const SaveOutcome saved = CommitLarge(number);
      ASSERT_EQ(saved.result, SaveResult::kStored) << number << ": " << saved.error;
    }
  };
  for (int round = 0; round < 8; ++round) {  // together they need more than are held back
    {
      const NoDescriptors none;
      ASSERT_NO_FATAL_FAILURE(commit(10));
    }
    ASSERT_NO_FATAL_FAILURE(commit(8));  // enough for one more file
  }
}

// Tells that no descriptor is left so many times, or something else.
class FailsAtFirst final : public rocksdb::EnvWrapper {
 public:
  FailsAtFirst() : EnvWrapper(rocksdb::Env::Default()) {}

  rocksdb::Status NewDirectory(const std::string& name,
                               std::unique_ptr<rocksdb::Directory>* directory) override {
    if (failures == 0) return EnvWrapper::NewDirectory(name, directory);
    --failures;
    return rocksdb::Status::IOError("While open directory: " + name, text);
  }

  int failures = 0;
  std::string text = "Too many open files";
};

// Opens with four descriptors held back.
class SpareFilesOfFour : public testing::Test {
 protected:
  rocksdb::Status Open() { return env_->NewDirectory(scratch_.path(), &directory_); }

  const ScratchDirectory scratch_;
  FailsAtFirst disk_;
  const std::unique_ptr<rocksdb::Env> env_ = MakeSpareFilesEnv(&disk_, 4);
  std::unique_ptr<rocksdb::Directory> directory_;
};

TEST_F(SpareFilesOfFour, AreGivenAlsoWhenSomebodyClosesAFileMeanwhile) {
  disk_.failures = 4;
  EXPECT_TRUE(Open().ok());
  disk_.failures = 5;
  ASSERT_TRUE(Open().IsIOError());
  EXPECT_EQ(disk_.failures, 0);
}

TEST_F(SpareFilesOfFour, AreNotGivenForAnythingElse) {
  disk_.failures = 2;
  disk_.text = "Input/output error";
  EXPECT_TRUE(Open().IsIOError());
  EXPECT_EQ(disk_.failures, 1);
}

}  // namespace
}  // namespace troth
