#include "disk_store.h"

#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "store/rocksdb_store.h"

namespace troth::sim {
namespace {

bool SameRecord(const StoredRecord& a, const StoredRecord& b) {
  return a.gid == b.gid && a.version == b.version && a.fixed == b.fixed && a.pages == b.pages &&
         a.state == b.state;
}

}  // namespace

DiskStore::DiskStore(uint64_t seed, ViolationFn violation)
    : seed_(seed), violation_(std::move(violation)) {
  Open();
}

void DiskStore::Open() {
  StatusOr<std::unique_ptr<Store>> opened =
      OpenRocksDbStore({.path = disk_.path(), .env = disk_.env()});
  if (!opened.ok()) violation_(Cat("the store does not open: ", Message(opened.status())));
  TROTH_CHECK(opened.ok());  // without a store there is nothing to go on with
  store_ = *std::move(opened);
}

std::vector<SaveOutcome> DiskStore::Commit(std::span<const SaveRecord> saves) {
  std::vector<SaveOutcome> outcomes = store_->Commit(saves);
  const std::vector<SaveOutcome> expected = model_.Commit(saves);
  for (size_t i = 0; i < saves.size(); ++i) {
    gids_.insert(saves[i].gid);
    if (outcomes[i].result == expected[i].result) continue;
    violation_(Cat("the store and its model disagree on ", saves[i].gid, " v", saves[i].version));
  }
  return outcomes;
}

std::vector<bool> DiskStore::Crash(std::span<const SaveRecord> saves) {
  disk_.CutPowerAtNextSync();
  if (!saves.empty()) {
    for (const SaveOutcome& outcome : store_->Commit(saves)) {
      if (outcome.result == SaveResult::kStored) violation_("a save was confirmed without power");
    }
  }
  disk_.CutPower();
  store_.reset();
  disk_.LoseUnsynced(++seed_);
  Open();
  std::vector<bool> stored;
  for (const SaveRecord& save : saves) {
    const auto found = store_->Load(save.gid);
    const bool there = found.ok() && found->has_value() && (**found).version >= save.version;
    // What was written is there, or another save that had come first.
    stored.push_back(there && model_.Commit({&save, 1})[0].result == SaveResult::kStored);
    if (stored.back()) gids_.insert(save.gid);
  }
  for (const std::string& gid : gids_) Compare(gid);
  return stored;
}

void DiskStore::Compare(const std::string& gid) {
  const auto found = store_->Load(gid);
  const auto expected = model_.Load(gid);
  const bool has = expected.ok() && expected->has_value();
  if (found.ok() && found->has_value() == has && (!has || SameRecord(**found, **expected))) return;
  const std::string what = !found.ok()          ? std::string(Message(found.status()))
                           : found->has_value() ? Cat("v", (**found).version)
                                                : std::string("nothing");
  violation_(Cat("after a crash the store has of ",
                 gid,
                 ": ",
                 what,
                 ", but confirmed ",
                 has ? Cat("v", (**expected).version) : std::string("nothing")));
}

}  // namespace troth::sim
