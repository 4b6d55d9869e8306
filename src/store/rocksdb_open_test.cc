// Directories that cannot be used, files that are damaged: what the operator is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "store/rocksdb_store.h"
#include "store/rocksdb_test_util.h"

namespace troth {
namespace {

using testing::HasSubstr;

std::string ErrorText(const Status& status) { return std::string(Message(status)); }

void Touch(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary | std::ios::app) << text;
}

TEST(RocksDbOpen, CreatesTheDirectory) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "a" / "b";
  const auto store = OpenRocksDbStore({.path = path});
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST(RocksDbOpen, RefusesADirectoryInUse) {
  const ScratchDirectory scratch;
  const auto first = OpenRocksDbStore({.path = scratch.path()});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = OpenRocksDbStore({.path = scratch.path()});
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(ErrorText(second.status()), HasSubstr("another process is using"));
  EXPECT_THAT(ErrorText(second.status()), HasSubstr(scratch.path().string()));
}

TEST(RocksDbOpen, RefusesAFile) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "file";
  Touch(path, "not a directory");
  const auto store = OpenRocksDbStore({.path = path});
  EXPECT_EQ(store.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(ErrorText(store.status()), HasSubstr("is not a directory"));
}

TEST(RocksDbOpen, RefusesAMissingStoreThatItMayNotCreate) {
  const ScratchDirectory scratch;
  const auto store =
      OpenRocksDbStore({.path = scratch.path() / "none", .create_if_missing = false});
  EXPECT_EQ(store.status().code(), StatusCode::kNotFound);
}

// Gives up what lets root write where the mode forbids it; the process cannot get it back.
void DropCapabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) std::abort();
}

[[noreturn]] void OpenWithoutCapabilities(const std::string& path) {
  DropCapabilities();
  const auto store = OpenRocksDbStore({.path = path});
  std::fputs(ErrorText(store.status()).c_str(), stderr);
  _exit(store.status().code() == StatusCode::kFailedPrecondition ? 0 : 1);
}

TEST(RocksDbOpen, RefusesADirectoryThatCannotBeWritten) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const ScratchDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0500));
  EXPECT_EXIT(OpenWithoutCapabilities(scratch.path()),
              testing::ExitedWithCode(0),
              "cannot write to the store's directory .*: Permission denied");
  EXPECT_EXIT(OpenWithoutCapabilities(scratch.path() / "new"),
              testing::ExitedWithCode(0),
              "cannot create the store's directory .*: Permission denied");
}

TEST(RocksDbOpen, RefusesAFullDisk) {
  const ScratchDirectory scratch;
  FaultyDisk disk;
  disk.faults.free_bytes = 10;
  const auto store = OpenRocksDbStore({.path = scratch.path(), .env = disk.env()});
  EXPECT_EQ(store.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(ErrorText(store.status()), HasSubstr("the disk is full"));
}

TEST(RocksDbOpen, RefusesDamagedFiles) {
  const ScratchDirectory scratch;
  ASSERT_TRUE(OpenRocksDbStore({.path = scratch.path()}).ok());
  std::ofstream(scratch.path() / "CURRENT") << "nonsense\n";
  const auto store = OpenRocksDbStore({.path = scratch.path()});
  EXPECT_EQ(store.status().code(), StatusCode::kDataLoss) << store.status();
}

// --- a log whose end a crash has torn

class TornLog : public testing::Test {
 protected:
  // Leaves a store behind whose log ends with the creation of "last".
  void SetUp() override {
    const auto store = OpenRocksDbStore({.path = scratch_.path()});
    ASSERT_TRUE(store.ok()) << store.status();
    for (const std::string_view gid : {"first", "last"}) {
      const SaveRecord save = MakeCreation(gid);
      ASSERT_EQ((*store)->Commit({&save, 1})[0].result, SaveResult::kStored);
    }
  }

  std::filesystem::path NewestLog() const {
    std::filesystem::path newest;
    for (const auto& file : std::filesystem::directory_iterator(scratch_.path())) {
      if (file.path().extension() == ".log") newest = std::max(newest, file.path());
    }
    return newest;
  }

  std::vector<std::string> GidsAfterReopening() const {
    const auto store = OpenRocksDbStore({.path = scratch_.path()});
    EXPECT_TRUE(store.ok()) << store.status();
    std::vector<std::string> gids;
    if (!store.ok()) return gids;
    const auto page = (*store)->List({});
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return gids;
    for (const StoredRecord& record : page->records) gids.push_back(record.gid);
    return gids;
  }

 private:
  ScratchDirectory scratch_;
};

TEST_F(TornLog, LosesOnlyTheSaveThatWasCutOff) {
  std::filesystem::resize_file(NewestLog(), std::filesystem::file_size(NewestLog()) - 3);
  EXPECT_THAT(GidsAfterReopening(), testing::ElementsAre("first"));
}

TEST_F(TornLog, LosesNothingWhenAnUnfinishedSaveFollows) {
  Touch(NewestLog(), std::string(3000, '\x5a'));
  EXPECT_THAT(GidsAfterReopening(), testing::ElementsAre("last", "first"));
}

}  // namespace
}  // namespace troth
