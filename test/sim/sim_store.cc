#include "sim_store.h"

#include <iterator>
#include <memory>
#include <utility>

namespace troth::sim {
namespace {

// When a server that has heard nothing stops waiting for its store.
constexpr Duration kStoreTimeout = Millis(5'000);

std::vector<SaveOutcome> AllUnknown(size_t saves, std::string_view why) {
  return std::vector<SaveOutcome>(saves,
                                  {.result = SaveResult::kUnknown, .error = std::string(why)});
}

// Runs `done` with the first answer only.
template <typename Done, typename Result>
auto OnlyOnce(Done done) {
  return [done = std::make_shared<Done>(std::move(done))](Result result) {
    if (!*done) return;
    std::exchange(*done, nullptr)(std::move(result));
  };
}

}  // namespace

SimStore::SimStore(Context& context, Network& network, Auditor& auditor, Kind kind)
    : context_(context),
      network_(network),
      auditor_(auditor),
      embedded_(kind != Kind::kShared),
      down_until_(context.scheduler.now()),
      full_until_(context.scheduler.now()) {
  if (kind != Kind::kEmbeddedOnDisk) return;
  disk_ = std::make_unique<DiskStore>(
      context.random.Next(), [this](std::string what) { auditor_.Violation(std::move(what)); });
}

void SimStore::Ask(const Incarnation& from, std::function<void()> arrive) {
  if (embedded_) return context_.scheduler.After(Duration(20), std::move(arrive));
  // A connection carries every request once and in order, or breaks.
  network_.SendReply(kFirstServer + from.server, kStoreNode, std::move(arrive));
}

void SimStore::Answer(const Incarnation& to, Task deliver) {
  if (embedded_) return context_.scheduler.After(Duration(20), std::move(deliver));
  network_.SendReply(kStoreNode, kFirstServer + to.server, std::move(deliver));
}

// --- Commits

void SimStore::Commit(Incarnation from, std::vector<SaveRecord> saves, CommitFn done) {
  const size_t count = saves.size();
  if (count > 1) context_.marks.Reached(Mark::kSavesInOneBatch);
  const auto answer = OnlyOnce<CommitFn, std::vector<SaveOutcome>>(std::move(done));
  context_.scheduler.After(
      kStoreTimeout, [answer, count] { answer(AllUnknown(count, "the store did not answer")); });
  auto batch = std::make_shared<Batch>(from, std::move(saves), answer);
  Ask(from, [this, batch] { Arrive(std::move(*batch)); });
}

void SimStore::Arrive(Batch batch) {
  const size_t count = batch.saves.size();
  if (down()) return;
  if (context_.scheduler.now() < full_until_) {
    return Answer(batch.from, [done = std::move(batch.done), count] {
      done(AllUnknown(count, "no space left on device"));
    });
  }
  Duration sync = context_.Between(Duration(100), Millis(4));
  if (context_.faults.Strikes(Fault::kStoreSlow)) {
    sync = context_.Between(Millis(100), Millis(20'000));
  }
  buffer_.push_back(std::move(batch));
  const auto self = std::prev(buffer_.end());
  context_.scheduler.After(sync, [this, self, crashes = crashes_] {
    if (crashes == crashes_) Synced(self);
  });
}

void SimStore::Synced(std::list<Batch>::iterator batch) {
  const Batch synced = std::move(*batch);
  buffer_.erase(batch);
  const size_t count = synced.saves.size();
  if (context_.faults.Strikes(Fault::kStoreUnknownLost)) {
    return Answer(synced.from, [=] { synced.done(AllUnknown(count, "the sync failed")); });
  }
  std::vector<SaveOutcome> outcomes = Apply(synced.from, synced.saves);
  if (context_.faults.Strikes(Fault::kStoreUnknownStored)) {
    context_.marks.Reached(Mark::kSaveUnknownStored);
    outcomes = AllUnknown(count, "the connection broke");
  }
  Answer(synced.from, [=, done = synced.done] { done(outcomes); });
}

std::vector<SaveOutcome> SimStore::Write(std::span<const SaveRecord> saves) {
  return disk_ != nullptr ? disk_->Commit(saves) : memory_.Commit(saves);
}

std::vector<SaveOutcome> SimStore::Apply(const Incarnation& from,
                                         std::span<const SaveRecord> saves) {
  std::vector<SaveOutcome> outcomes = Write(saves);
  for (size_t i = 0; i < saves.size(); ++i) {
    Note(from, saves[i], outcomes[i].result == SaveResult::kStored);
  }
  return outcomes;
}

void SimStore::Note(const Incarnation& from, const SaveRecord& save, bool stored) {
  context_.log.Add("store: ",
                   save.gid,
                   " v",
                   save.version,
                   " ",
                   WireName(save.index.status),
                   " by server",
                   from.server,
                   ".",
                   from.life,
                   stored ? "" : ": conflict");
  if (stored) {
    auditor_.OnStored(from, save);
  } else {
    context_.marks.Reached(Mark::kSaveConflict);
  }
}

// --- Reads

void SimStore::Load(Incarnation from, std::string gid, LoadFn done) {
  using Found = StatusOr<std::optional<StoredRecord>>;
  const auto answer = OnlyOnce<LoadFn, Found>(std::move(done));
  context_.scheduler.After(kStoreTimeout,
                           [answer] { answer(Found(Unavailable("the store did not answer"))); });
  Ask(from, [this, from, answer, gid = std::move(gid)] {
    if (down()) return;
    auto found = context_.faults.Strikes(Fault::kLoadFailed)
                     ? Found(Unavailable("the store is busy"))
                     : durable().Load(gid);
    Answer(from, [answer, found = std::move(found)] { answer(found); });
  });
}

void SimStore::ClaimDue(
    Incarnation from, TimePoint now, TimePoint lease_until, size_t limit, ClaimFn done) {
  using Records = StatusOr<std::vector<StoredRecord>>;
  const auto answer = OnlyOnce<ClaimFn, Records>(std::move(done));
  context_.scheduler.After(kStoreTimeout,
                           [answer] { answer(Records(Unavailable("the store did not answer"))); });
  Ask(from, [=, this] {
    if (down()) return;
    auto records = context_.faults.Strikes(Fault::kClaimFailed)
                       ? Records(Unavailable("the store is busy"))
                       : durable().ClaimDue(now, lease_until, limit);
    Task deliver = [answer, records = std::move(records)] { answer(records); };
    if (!context_.faults.Strikes(Fault::kClaimLate)) return Answer(from, std::move(deliver));
    const Duration late = context_.Between(Millis(500), kStoreTimeout);
    context_.scheduler.After(late, std::move(deliver));
  });
}

// --- What happens to it

void SimStore::Crash(Duration down) {
  context_.log.Add("store crashes");
  LoseBuffer();
  down_until_ = context_.scheduler.now() + down;
}

void SimStore::LoseBuffer() {
  ++crashes_;
  if (disk_ != nullptr) return CrashDisk();
  for (Batch& batch : std::exchange(buffer_, {})) {
    if (!context_.faults.Strikes(Fault::kStoreTorn)) continue;
    // Some of it was on disk already, whatever the order it was written in.
    std::erase_if(batch.saves, [this](const SaveRecord&) { return context_.random.OneIn(2); });
    Apply(batch.from, batch.saves);
  }
}

// The power goes while the batches are written; the disk decides what was written.
void SimStore::CrashDisk() {
  std::vector<SaveRecord> saves;
  std::vector<Incarnation> from;
  for (Batch& batch : std::exchange(buffer_, {})) {
    from.insert(from.end(), batch.saves.size(), batch.from);
    std::move(batch.saves.begin(), batch.saves.end(), std::back_inserter(saves));
  }
  const std::vector<bool> stored = disk_->Crash(saves);
  for (size_t i = 0; i < saves.size(); ++i) {
    if (!stored[i]) continue;
    context_.marks.Reached(Mark::kSaveUnknownStored);
    Note(from[i], saves[i], true);
  }
}

void SimStore::FillUp(Duration full) {
  context_.log.Add("store is full");
  full_until_ = context_.scheduler.now() + full;
}

void SimStore::Recover() {
  down_until_ = context_.scheduler.now();
  full_until_ = context_.scheduler.now();
}

void SimStore::ResetDue(TimePoint now) {
  context_.log.Add("store: everything is due");
  bool more = true;
  while (more) {
    const StatusOr<ResetCount> reset = durable().ResetDue(now, now, 1000);
    more = reset.ok() && reset->more;
  }
}

}  // namespace troth::sim
