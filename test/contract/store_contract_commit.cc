// Saves and loads.

#include <atomic>
#include <thread>

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;

TEST_P(StoreContract, KeepsWhatACreationSaid) {
  MustCommit({Creation("a")});
  const StoredRecord record = MustLoad("a");
  EXPECT_EQ(record.gid, "a");
  EXPECT_EQ(record.version, 1U);
  EXPECT_EQ(record.fixed, "fixed of a");
  EXPECT_THAT(record.pages, ElementsAre("page 0 of a"));
  EXPECT_EQ(record.state, "a v1");
  EXPECT_EQ(record.due, std::nullopt);
}

TEST_P(StoreContract, KnowsNothingOfAGidNeverSaved) {
  MustCommit({Creation("a")});
  EXPECT_FALSE(Exists("b"));
  EXPECT_FALSE(Exists(""));
}

TEST_P(StoreContract, RefusesASecondCreation) {
  MustCommit({Creation("a")});
  SaveRecord again = Creation("a");
  again.state = "other";
  EXPECT_EQ(Commit(again), SaveResult::kConflict);
  EXPECT_EQ(MustLoad("a").state, "a v1");
}

TEST_P(StoreContract, RefusesASecondCreationInTheSameBatch) {
  EXPECT_THAT(Commit({Creation("a"), Creation("b"), Creation("a")}),
              ElementsAre(SaveResult::kStored, SaveResult::kStored, SaveResult::kConflict));
}

TEST_P(StoreContract, RefusesTheCreationOfAFinishedGid) {
  const SaveRecord created = Creation("a");
  MustCommit({created});
  MustCommit({Ending(created)});
  EXPECT_EQ(Commit(Creation("a")), SaveResult::kConflict);
  EXPECT_EQ(MustLoad("a").version, 2U);
}

TEST_P(StoreContract, AppliesASaveOnlyToTheVersionItExpects) {
  const SaveRecord v1 = Creation("a");
  const SaveRecord v2 = After(v1);
  const SaveRecord v3 = After(v2);
  MustCommit({v1});
  EXPECT_EQ(Commit(v3), SaveResult::kConflict);
  MustCommit({v2});
  EXPECT_EQ(Commit(v2), SaveResult::kConflict);
  MustCommit({v3});
  EXPECT_EQ(MustLoad("a").version, 3U);
}

TEST_P(StoreContract, RefusesAnUpdateOfAGidThatIsNotThere) {
  EXPECT_EQ(Commit(After(Creation("a"))), SaveResult::kConflict);
  EXPECT_FALSE(Exists("a"));
}

TEST_P(StoreContract, RefusesAnUpdateOfAFinishedRecordFromAnOldVersion) {
  const SaveRecord created = Creation("a");
  MustCommit({created});
  MustCommit({Ending(created)});
  EXPECT_EQ(Commit(After(created)), SaveResult::kConflict);
}

TEST_P(StoreContract, UpdatesAFinishedRecordAtItsVersion) {
  const SaveRecord created = Creation("a");
  const SaveRecord ended = Ending(created);
  MustCommit({created, ended});
  MustCommit({After(ended)});
  EXPECT_EQ(MustLoad("a").state, "a v3");
  EXPECT_EQ(store().Unfinished(), 0U);
}

TEST_P(StoreContract, LetsSavesOfOneBatchSeeEachOther) {
  const SaveRecord v1 = Creation("a");
  const SaveRecord v2 = After(v1);
  const SaveRecord v3 = Ending(v2);
  EXPECT_THAT(
      Commit({v1, v2, v2, v3}),
      ElementsAre(
          SaveResult::kStored, SaveResult::kStored, SaveResult::kConflict, SaveResult::kStored));
  const StoredRecord record = MustLoad("a");
  EXPECT_EQ(record.version, 3U);
  EXPECT_EQ(record.fixed, "fixed of a");
  EXPECT_THAT(record.pages, ElementsAre("page 0 of a"));
  EXPECT_EQ(store().Unfinished(), 0U);
}

TEST_P(StoreContract, DoesNotConfuseVersionsOneAndTen) {
  SaveRecord save = Creation("a");
  MustCommit({save});
  for (int i = 0; i < 9; ++i) MustCommit({save = After(save)});
  EXPECT_EQ(MustLoad("a").version, 10U);
  SaveRecord stale = save;
  stale.expected_version = 1;
  EXPECT_EQ(Commit(stale), SaveResult::kConflict);
}

TEST_P(StoreContract, AppendsPagesInOrder) {
  SaveRecord save = Creation("a");
  MustCommit({save});
  std::vector<std::string> pages = {"page 0 of a"};
  for (uint32_t page = 1; page <= 12; ++page) {
    save = After(save);
    save.page = Cat("page ", page);
    save.page_number = page;
    pages.push_back(save.page);
    MustCommit({save});
  }
  MustCommit({Ending(save)});
  EXPECT_EQ(MustLoad("a").pages, pages);
}

TEST_P(StoreContract, TakesItsFirstPageLate) {
  SaveRecord created = Creation("a");
  created.page.clear();
  MustCommit({created});
  EXPECT_THAT(MustLoad("a").pages, ElementsAre());
  SaveRecord first = After(created);
  first.page = "first";
  SaveRecord second = After(first);
  second.page = "second";
  second.page_number = 1;
  MustCommit({first, second});
  EXPECT_THAT(MustLoad("a").pages, ElementsAre("first", "second"));
}

TEST_P(StoreContract, ReplacesTheFixedPartOnlyWhenGiven) {
  const SaveRecord created = Creation("a");
  SaveRecord merged = After(created);
  merged.fixed = "merged";
  MustCommit({created, merged});
  EXPECT_EQ(MustLoad("a").fixed, "merged");
  MustCommit({After(merged)});
  EXPECT_EQ(MustLoad("a").fixed, "merged");
  EXPECT_THAT(MustLoad("a").pages, ElementsAre("page 0 of a"));
}

TEST_P(StoreContract, TakesGidsOfAnyBytesUpToTheLimit) {
  const std::vector<std::string> gids = {std::string(128, 'x'),
                                         std::string(127, 'x'),
                                         std::string("a\0b", 3),
                                         std::string("a\0", 2),
                                         "a",
                                         "a/b c%\"'\\",
                                         "\xff\xfe",
                                         "\xe4\xba\x8b\xe5\x8a\xa1",
                                         "1",
                                         "10",
                                         "A"};
  for (const std::string& gid : gids) MustCommit({Creation(gid)});
  for (const std::string& gid : gids) {
    EXPECT_EQ(MustLoad(gid).gid, gid);
    EXPECT_EQ(MustLoad(gid).fixed, Cat("fixed of ", gid));
  }
  EXPECT_EQ(ListAll().size(), gids.size());
}

TEST_P(StoreContract, TakesEmptyParts) {
  SaveRecord save = Creation("a");
  save.fixed.clear();
  save.page.clear();
  save.state.clear();
  MustCommit({save});
  const StoredRecord record = MustLoad("a");
  EXPECT_EQ(record.fixed, "");
  EXPECT_THAT(record.pages, ElementsAre());
  EXPECT_EQ(record.state, "");
}

TEST_P(StoreContract, TakesAPageOfFourMebibytes) {
  SaveRecord save = Creation("a");
  save.page.assign(4 << 20, 'p');
  save.page[12345] = '\0';
  MustCommit({save});
  MustCommit({Ending(save)});
  EXPECT_THAT(MustLoad("a").pages, ElementsAre(save.page));
}

TEST_P(StoreContract, TakesBatchesOfAThousandSaves) {
  std::vector<SaveRecord> saves;
  for (int i = 0; i < 1000; ++i) saves.push_back(Creation(Cat("gid", i)));
  MustCommit(saves);
  for (SaveRecord& save : saves) save = Ending(save);
  MustCommit(saves);
  EXPECT_EQ(MustLoad("gid999").version, 2U);
}

TEST_P(StoreContract, TakesAnEmptyBatch) {
  EXPECT_THAT(Commit(std::vector<SaveRecord>()), ElementsAre());
}

TEST_P(StoreContract, IsHealthy) { EXPECT_TRUE(store().Health().ok()) << store().Health(); }

// Readers see each record whole, at some version, whatever is being committed.
TEST_P(StoreContract, CanBeReadWhileItCommits) {
  constexpr int kGids = 20, kVersions = 30;
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::vector<SaveRecord> saves;
  for (int i = 0; i < kGids; ++i) saves.push_back(Creation(Cat("gid", i)));
  MustCommit(saves);

  const auto check = [&](const StoredRecord& record) {
    if (record.state != Cat(record.gid, " v", record.version) ||
        record.pages.size() != std::min<uint64_t>(record.version, kVersions)) {
      ++torn;
    }
  };
  const auto read = [&] {
    for (int i = 0; !done; i = (i + 1) % kGids) {
      const auto loaded = store().Load(Cat("gid", i));
      if (!loaded.ok() || !loaded->has_value()) {
        ++torn;
        continue;
      }
      check(**loaded);
      const auto page = store().List({});
      if (!page.ok() || page->records.empty()) ++torn;
      if (page.ok()) {
        for (const StoredRecord& record : page->records) check(record);
      }
      const auto claimed = store().ClaimDue(At(20), At(10), 3);
      if (!claimed.ok()) ++torn;
    }
  };
  std::thread first(read), second(read);
  for (uint32_t version = 2; version <= kVersions; ++version) {
    for (SaveRecord& save : saves) {
      save = After(save);
      save.page = Cat("page ", version);
      save.page_number = version - 1;
    }
    MustCommit(saves);
  }
  for (SaveRecord& save : saves) save = Ending(save);
  MustCommit(saves);
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace troth
