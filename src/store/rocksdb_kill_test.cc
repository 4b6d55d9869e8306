// A process killed in the middle of commits loses nothing it acknowledged. The victim is this
// program again, started with an argument.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "store/rocksdb_store.h"
#include "store/rocksdb_test_util.h"

extern char** environ;  // NOLINT: POSIX names it

namespace troth {
namespace {

constexpr std::string_view kVictimFlag = "--commit-until-killed";
constexpr int kBatch = 16;

// --- the victim

// Writes "<gid> <version>" for each save that was acknowledged, a batch's lines in one write.
void Report(const std::vector<SaveRecord>& saves) {
  std::string lines;
  for (const SaveRecord& save : saves) CatTo(lines, save.gid, ' ', save.version, '\n');
  for (std::string_view rest = lines; !rest.empty();) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written <= 0) _exit(3);
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

int CommitUntilKilled(const std::string& path, const std::string& prefix) {
  const auto store = OpenRocksDbStore({.path = path});
  if (!store.ok()) return 2;
  std::vector<SaveRecord> last;
  for (int i = 0;; ++i) {
    std::vector<SaveRecord> saves;
    for (size_t j = 0; j < last.size(); j += 2) saves.push_back(MakeEnding(last[j].gid));
    last.clear();
    for (int j = 0; j < kBatch; ++j) {
      last.push_back(MakeCreation(Cat(prefix, "-", i, "-", j)));
      saves.push_back(last.back());
    }
    for (const SaveOutcome& outcome : (*store)->Commit(saves)) {
      if (outcome.result != SaveResult::kStored) return 4;
    }
    Report(saves);
  }
}

// --- the test

class Victim {
 public:
  Victim(const std::string& path, const std::string& prefix) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<std::string> words = {"victim", std::string(kVictimFlag), path, prefix};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    reports_ = fdopen(ends[0], "r");
  }
  ~Victim() { std::fclose(reports_); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // Reads one more report; false at their end.
  bool ReadReport(std::map<std::string, uint64_t>& acknowledged) {
    char gid[129];
    unsigned long long version = 0;
    if (std::fscanf(reports_, "%128s %llu", gid, &version) != 2) return false;  // NOLINT
    acknowledged[gid] = version;
    return true;
  }
  void Kill() {
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = 0;
  FILE* reports_ = nullptr;
};

void ExpectAllThere(Store& store, const std::map<std::string, uint64_t>& acknowledged) {
  for (const auto& [gid, version] : acknowledged) {
    const auto record = store.Load(gid);
    ASSERT_TRUE(record.ok()) << record.status();
    ASSERT_TRUE(record->has_value()) << gid << " is lost";
    ASSERT_GE((*record)->version, version) << gid;
    ASSERT_EQ((*record)->fixed, Cat("fixed of ", gid));
    ASSERT_EQ((*record)->pages, std::vector{Cat("page of ", gid)});
    ASSERT_EQ((*record)->state, (*record)->version == 1 ? "open" : "ended");
  }
}

TEST(RocksDbKill, LosesNothingAcknowledged) {
  const ScratchDirectory scratch;
  Random random(7);
  std::map<std::string, uint64_t> acknowledged;
  for (int round = 0; round < 8; ++round) {
    Victim victim(scratch.path(), Cat("round", round));
    for (uint64_t reports = 1 + random.Below(3000); reports > 0; --reports) {
      ASSERT_TRUE(victim.ReadReport(acknowledged));
    }
    victim.Kill();
    while (victim.ReadReport(acknowledged)) {
    }
    const auto store = OpenRocksDbStore({.path = scratch.path()});
    ASSERT_TRUE(store.ok()) << store.status();
    ExpectAllThere(**store, acknowledged);
  }
}

}  // namespace
}  // namespace troth

int main(int argc, char** argv) {
  if (argc == 4 && argv[1] == troth::kVictimFlag) {
    return troth::CommitUntilKilled(argv[2], argv[3]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
