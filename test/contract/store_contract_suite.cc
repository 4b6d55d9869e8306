#include "contract/store_contract_suite.h"

#include "base/text.h"

namespace troth {
namespace {

std::string StateOf(const SaveRecord& save) { return Cat(save.gid, " v", save.version); }

}  // namespace

SaveRecord Creation(std::string_view gid, TimePoint created, TimePoint due) {
  SaveRecord save;
  save.gid = gid;
  save.version = 1;
  save.index = {.type = TransType::kMsg,
                .status = TransStatus::kSubmitted,
                .create_time = created,
                .update_time = created,
                .due = due};
  save.fixed = Cat("fixed of ", gid);
  save.page = Cat("page 0 of ", gid);
  save.state = StateOf(save);
  return save;
}

SaveRecord After(const SaveRecord& last) {
  SaveRecord save;
  save.gid = last.gid;
  save.expected_version = last.version;
  save.version = last.version + 1;
  save.index = last.index;
  save.state = StateOf(save);
  return save;
}

SaveRecord Ending(const SaveRecord& last, TimePoint ended, TransStatus status) {
  SaveRecord save = After(last);
  save.index.status = status;
  save.index.update_time = ended;
  return save;
}

SaveResult StoreContract::Commit(const SaveRecord& save) { return Commit(std::vector{save})[0]; }

std::vector<SaveResult> StoreContract::Commit(const std::vector<SaveRecord>& saves) {
  std::vector<SaveResult> results;
  for (const SaveOutcome& outcome : store().Commit(saves)) {
    EXPECT_EQ(outcome.error, "");
    results.push_back(outcome.result);
  }
  EXPECT_EQ(results.size(), saves.size());
  return results;
}

void StoreContract::MustCommit(const std::vector<SaveRecord>& saves) {
  EXPECT_THAT(Commit(saves), testing::Each(SaveResult::kStored));
}

StoredRecord StoreContract::MustLoad(std::string_view gid) {
  auto loaded = store().Load(gid);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return {};
  EXPECT_TRUE(loaded->has_value()) << gid << " is missing";
  return loaded->value_or(StoredRecord());
}

bool StoreContract::Exists(std::string_view gid) {
  const auto loaded = store().Load(gid);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() && loaded->has_value();
}

std::vector<std::string> StoreContract::Claim(TimePoint now, TimePoint lease_until, size_t limit) {
  const auto claimed = store().ClaimDue(now, lease_until, limit);
  EXPECT_TRUE(claimed.ok()) << claimed.status();
  std::vector<std::string> gids;
  if (!claimed.ok()) return gids;
  for (const StoredRecord& record : *claimed) gids.push_back(record.gid);
  return gids;
}

std::vector<std::string> StoreContract::ListAll(ListFilter filter) {
  std::vector<std::string> gids;
  do {
    const auto page = store().List(filter);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    EXPECT_LE(page->records.size(), filter.limit);
    for (const StoredRecord& record : page->records) gids.push_back(record.gid);
    filter.position = page->next_position;
  } while (!filter.position.empty());
  return gids;
}

}  // namespace troth
