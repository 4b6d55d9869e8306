// Saves and loads.

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;

TEST_P(StoreContract, KeepsWhatACreationSaid) {
  MustCommit({Creation("a")});
  const Transaction record = MustLoad("a");
  EXPECT_EQ(record.gid, "a");
  EXPECT_EQ(record.version, 1U);
  EXPECT_EQ(FixedOf(record), "fixed of a");
  EXPECT_THAT(PayloadsOf(record), ElementsAre("payload 0 of a"));
  EXPECT_EQ(MarkOf(record), "a v1");
  EXPECT_EQ(record.create_time, At(0));
  EXPECT_EQ(record.next_cron_time, At(10));
}

TEST_P(StoreContract, KnowsNothingOfAGidNeverSaved) {
  MustCommit({Creation("a")});
  EXPECT_FALSE(Exists("b"));
  EXPECT_FALSE(Exists(""));
}

TEST_P(StoreContract, RefusesASecondCreation) {
  MustCommit({Creation("a")});
  Draft again = Creation("a");
  MarkOf(again.txn) = "other";
  EXPECT_EQ(Commit(again), SaveResult::kConflict);
  EXPECT_EQ(MarkOf(MustLoad("a")), "a v1");
}

TEST_P(StoreContract, RefusesASecondCreationInTheSameBatch) {
  EXPECT_THAT(Commit({Creation("a"), Creation("b"), Creation("a")}),
              ElementsAre(SaveResult::kStored, SaveResult::kStored, SaveResult::kConflict));
}

TEST_P(StoreContract, RefusesTheCreationOfAFinishedGid) {
  const Draft created = Creation("a");
  MustCommit({created});
  MustCommit({Ending(created)});
  EXPECT_EQ(Commit(Creation("a")), SaveResult::kConflict);
  EXPECT_EQ(MustLoad("a").version, 2U);
}

TEST_P(StoreContract, AppliesASaveOnlyToTheVersionItExpects) {
  const Draft v1 = Creation("a");
  const Draft v2 = After(v1);
  const Draft v3 = After(v2);
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
  const Draft created = Creation("a");
  MustCommit({created});
  MustCommit({Ending(created)});
  EXPECT_EQ(Commit(After(created)), SaveResult::kConflict);
}

TEST_P(StoreContract, UpdatesAFinishedRecordAtItsVersion) {
  const Draft created = Creation("a");
  const Draft ended = Ending(created);
  MustCommit({created, ended});
  MustCommit({After(ended)});
  EXPECT_EQ(MarkOf(MustLoad("a")), "a v3");
}

TEST_P(StoreContract, LetsSavesOfOneBatchSeeEachOther) {
  const Draft v1 = Creation("a");
  const Draft v2 = After(v1);
  const Draft v3 = Ending(v2);
  EXPECT_THAT(
      Commit({v1, v2, v2, v3}),
      ElementsAre(
          SaveResult::kStored, SaveResult::kStored, SaveResult::kConflict, SaveResult::kStored));
  const Transaction record = MustLoad("a");
  EXPECT_EQ(record.version, 3U);
  EXPECT_EQ(record.status, TransStatus::kSucceeded);
  EXPECT_EQ(FixedOf(record), "fixed of a");
  EXPECT_THAT(PayloadsOf(record), ElementsAre("payload 0 of a"));
}

TEST_P(StoreContract, DoesNotConfuseVersionsOneAndTen) {
  Draft save = Creation("a");
  MustCommit({save});
  for (int i = 0; i < 9; ++i) MustCommit({save = After(save)});
  EXPECT_EQ(MustLoad("a").version, 10U);
  Draft stale = save;
  stale.expected_version = 1;
  stale.txn.version = 2;
  EXPECT_EQ(Commit(stale), SaveResult::kConflict);
}

TEST_P(StoreContract, AppendsBranchesInOrder) {
  Draft draft = Creation("a");
  MustCommit({draft});
  std::vector<std::string> payloads = {"payload 0 of a"};
  for (int i = 1; i <= 12; ++i) {
    draft = After(draft);
    payloads.push_back(Cat("payload ", i));
    AddBranch(draft, payloads.back());
    MustCommit({draft});
  }
  MustCommit({Ending(draft)});
  EXPECT_EQ(PayloadsOf(MustLoad("a")), payloads);
}

TEST_P(StoreContract, TakesItsFirstBranchesLate) {
  Draft created = Creation("a");
  created.txn.branches.clear();
  created.txn.payloads.clear();
  created.txn.pages = 0;
  MustCommit({created});
  EXPECT_THAT(PayloadsOf(MustLoad("a")), ElementsAre());
  Draft first = After(created);
  AddBranch(first, "first");
  AddBranch(first, "second");
  Draft second = After(first);
  AddBranch(second, "third");
  MustCommit({first, second});
  EXPECT_THAT(PayloadsOf(MustLoad("a")), ElementsAre("first", "second", "third"));
}

TEST_P(StoreContract, ChangesTheBranchesThatASaveNames) {
  Draft created = Creation("a");
  AddBranch(created, "second");
  AddBranch(created, "third");
  Draft progress = After(created);
  ChangeStatus(progress.txn.branches[1], BranchStatus::kFailed, At(3));
  progress.rows_changed = {1};
  MustCommit({created, progress});
  const Transaction txn = MustLoad("a");
  EXPECT_EQ(txn.branches[0].status, BranchStatus::kPrepared);
  EXPECT_EQ(txn.branches[1].status, BranchStatus::kFailed);
  EXPECT_EQ(txn.branches[1].finish_time, At(3));
  EXPECT_EQ(txn.branches[2].status, BranchStatus::kPrepared);
}

// What is alike in several transactions may be one statement; it must reach no other branch.
TEST_P(StoreContract, ChangesBranchesOfManyTransactionsInOneBatch) {
  std::vector<Draft> saves;
  for (const std::string_view gid : {"a", "b", "c", "d"}) {
    saves.push_back(Creation(gid));
    AddBranch(saves.back(), "second");
    AddBranch(saves.back(), "third");
  }
  MustCommit(saves);
  const std::vector<std::vector<uint32_t>> changed = {{0, 2}, {0, 2}, {1}, {}};
  for (size_t i = 0; i < saves.size(); ++i) {
    saves[i] = After(saves[i]);
    saves[i].rows_changed = changed[i];
    for (const uint32_t row : changed[i]) {
      ChangeStatus(saves[i].txn.branches[row], BranchStatus::kSucceeded, At(3));
    }
  }
  MustCommit(saves);
  for (const Draft& save : saves) {
    const Transaction txn = MustLoad(save.txn.gid);
    for (size_t row = 0; row < txn.branches.size(); ++row) {
      EXPECT_EQ(txn.branches[row].status, save.txn.branches[row].status) << txn.gid << row;
    }
  }
}

TEST_P(StoreContract, KeepsEveryKindOfTransaction) {
  for (const TransType type :
       {TransType::kMsg, TransType::kSaga, TransType::kTcc, TransType::kXa, TransType::kWorkflow}) {
    Draft draft = Creation(WireName(type));
    Transaction& txn = draft.txn;
    txn.type = type;
    txn.protocol = Protocol::kGrpc;
    txn.options = {.wait_result = true, .request_timeout = 7, .branch_headers = {{"k", "v"}}};
    if (type == TransType::kSaga) {
      AddBranch(draft, "");
      txn.branches[1].branch_id = txn.branches[0].branch_id;
      txn.branches[1].payload = txn.branches[0].payload;
      txn.branches[0].op = BranchOp::kCompensate;
      txn.payloads.pop_back();
    }
    MustCommit({draft});
    Transaction loaded = MustLoad(txn.gid);
    loaded.owner.clear();
    EXPECT_EQ(loaded, txn) << WireName(type);
  }
}

TEST_P(StoreContract, ReplacesTheFixedPartOnlyWhenItChanged) {
  const Draft created = Creation("a");
  Draft merged = After(created);
  FixedOf(merged.txn) = "merged";
  merged.fixed_changed = true;
  MustCommit({created, merged});
  EXPECT_EQ(FixedOf(MustLoad("a")), "merged");
  MustCommit({After(merged)});
  EXPECT_EQ(FixedOf(MustLoad("a")), "merged");
  EXPECT_THAT(PayloadsOf(MustLoad("a")), ElementsAre("payload 0 of a"));
}

TEST_P(StoreContract, TellsLettersOfGidsApart) {
  const std::vector<std::string> gids = {std::string(128, 'x'),
                                         std::string(127, 'x'),
                                         "A",
                                         "a",
                                         "a/b c%\"'\\",
                                         "\xe4\xba\x8b\xe5\x8a\xa1",
                                         "1",
                                         "10"};
  for (const std::string& gid : gids) MustCommit({Creation(gid)});
  for (const std::string& gid : gids) {
    EXPECT_EQ(MustLoad(gid).gid, gid);
    EXPECT_EQ(FixedOf(MustLoad(gid)), Cat("fixed of ", gid));
  }
  EXPECT_EQ(ListAll().size(), gids.size());
}

TEST_P(ExclusiveStoreContract, TakesGidsOfAnyBytes) {
  const std::vector<std::string> gids = {std::string("a\0b", 3), std::string("a\0", 2), "\xff\xfe"};
  for (const std::string& gid : gids) MustCommit({Creation(gid)});
  for (const std::string& gid : gids) EXPECT_EQ(MustLoad(gid).gid, gid);
}

TEST_P(StoreContract, TakesAPayloadOfFourMebibytes) {
  std::string payload(4 << 20, 'p');
  payload[12345] = '\0';
  Draft draft = Creation("a");
  draft.txn.payloads[0] = payload;
  MustCommit({draft});
  MustCommit({Ending(draft)});
  EXPECT_EQ(PayloadsOf(MustLoad("a"))[0], payload);
}

TEST_P(StoreContract, TakesBatchesOfAThousandSaves) {
  std::vector<Draft> saves;
  for (int i = 0; i < 1000; ++i) saves.push_back(Creation(Cat("gid", i)));
  MustCommit(saves);
  for (Draft& save : saves) save = Ending(save);
  MustCommit(saves);
  EXPECT_EQ(MustLoad("gid999").version, 2U);
}

TEST_P(StoreContract, TakesAnEmptyBatch) {
  EXPECT_THAT(Commit(std::vector<Draft>()), ElementsAre());
}

TEST_P(StoreContract, IsHealthy) { EXPECT_TRUE(store().Health().ok()) << store().Health(); }

// Readers see each record whole, at some version, whatever is being committed.
TEST_P(StoreContract, CanBeReadWhileItCommits) {
  constexpr int kGids = 20, kVersions = 30;
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::vector<Draft> saves;
  for (int i = 0; i < kGids; ++i) saves.push_back(Creation(Cat("gid", i)));
  MustCommit(saves);

  const auto check = [&](const StoredRecord& record) {
    const Transaction txn = Decode(record);
    const size_t branches = std::min<uint64_t>(txn.version, kVersions);
    if (MarkOf(txn) != Cat(txn.gid, " v", txn.version) || txn.branches.size() != branches) ++torn;
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
      const auto claimed = store().ClaimDue(At(5), At(9), 3);
      if (!claimed.ok() || !claimed->empty()) ++torn;
    }
  };
  std::thread first(read), second(read);
  for (uint32_t version = 2; version <= kVersions; ++version) {
    for (Draft& save : saves) {
      save = After(save);
      AddBranch(save, Cat("payload ", version));
    }
    MustCommit(saves);
  }
  for (Draft& save : saves) save = Ending(save);
  MustCommit(saves);
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(torn, 0);
}

// The saves that commit number `commit` of those at once makes of `round`: its own, and one that
// all of them want.
std::vector<Draft> Contested(int round, size_t commit) {
  std::vector<Draft> saves;
  for (int i = 0; i < 20; ++i) saves.push_back(Creation(Cat("round", round, " ", commit, " ", i)));
  saves.insert(saves.begin() + 10, Creation(Cat("round", round)));
  return saves;
}

// A save that two commits at once make is applied once, and what is saved beside it is not harmed.
TEST_P(StoreContract, AppliesAContestedSaveOnceWhenSeveralCommitAtOnce) {
  constexpr int kRounds = 10;
  const size_t at_once = store().commit_shape().at_once;
  std::atomic<size_t> stored = 0, conflicts = 0;
  const auto commit = [&](const std::vector<Draft>& saves) {
    const std::vector<SaveResult> results = Commit(saves);
    stored += static_cast<size_t>(std::ranges::count(results, SaveResult::kStored));
    conflicts += static_cast<size_t>(std::ranges::count(results, SaveResult::kConflict));
  };
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < at_once; ++i) {
      threads.emplace_back([&, i] {
        std::vector<Draft> saves = Contested(round, i);
        commit(saves);
        for (Draft& save : saves) save = Ending(save);
        commit(saves);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(MustLoad(Cat("round", round)).version, 2U);
  }
  EXPECT_EQ(stored, 2 * kRounds * (20 * at_once + 1));
  EXPECT_EQ(conflicts, 2 * kRounds * (at_once - 1));
}

}  // namespace
}  // namespace troth
