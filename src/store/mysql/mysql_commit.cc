// Saves, many in one database transaction.

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "store/mysql/mysql_batch.h"
#include "store/mysql/mysql_store_impl.h"
#include "store/sql_commit.h"

namespace troth::mysql {
namespace {

constexpr Duration kPauseMin = std::chrono::milliseconds(2);
constexpr Duration kPauseMax = std::chrono::milliseconds(100);

// Whether the same statements may do better a moment later.
bool MayPass(const Status& status) {
  return status.code() == StatusCode::kAborted || status.code() == StatusCode::kUnavailable ||
         status.code() == StatusCode::kResourceExhausted;
}

}  // namespace

// Takes the saves of one Commit to their outcomes, batch by batch.
class MysqlStore::Committing {
 public:
  Committing(MysqlStore& store, std::span<const SaveRecord> saves)
      : store_(store),
        saves_(saves),
        outcomes_(saves.size()),
        give_up_at_(SystemClock().Now() + store.options_.patience) {}

  std::vector<SaveOutcome> Run() {
    while (next_ < saves_.size()) CommitTogether(NextBatch());
    return std::move(outcomes_);
  }

 private:
  using Items = std::vector<size_t>;  // indexes of saves_, in the order of their gids

  Items NextBatch();
  void CommitTogether(const Items& items);
  // Halves find out which save it is that cannot be applied.
  void CommitApart(const Items& items);
  // One attempt; true when there is nothing left to do for these.
  bool Attempt(const Items& items, Status& failure);
  void Settle(const Items& items, const Status& unknown);
  void Fail(const Items& items, std::string_view what, const Status& status);
  // False when it is time to give up.
  bool Pause();
  std::vector<const SaveRecord*> SavesOf(const Items& items) const;

  MysqlStore& store_;
  const std::span<const SaveRecord> saves_;
  std::vector<SaveOutcome> outcomes_;
  const TimePoint give_up_at_;
  Duration pause_ = kPauseMin;
  size_t next_ = 0;
};

// The next saves, up to the first that follows another of the same gid.
MysqlStore::Committing::Items MysqlStore::Committing::NextBatch() {
  Items items;
  std::unordered_set<std::string_view> gids;
  for (; next_ < saves_.size() && items.size() < store_.options_.batch_max; ++next_) {
    const SaveRecord& save = saves_[next_];
    if (!gids.insert(save.gid).second) break;
    if (const Status fits = store_.limits_.Check(*save.changes); !fits.ok()) {
      outcomes_[next_] = {SaveResult::kRefused, std::string(Message(fits))};
      continue;
    }
    items.push_back(next_);
  }
  // Servers that lock rows in the same order do not wait for each other in a circle.
  std::ranges::sort(items, {}, [this](size_t item) { return std::string_view(saves_[item].gid); });
  return items;
}

std::vector<const SaveRecord*> MysqlStore::Committing::SavesOf(const Items& items) const {
  std::vector<const SaveRecord*> saves;
  for (const size_t item : items) saves.push_back(&saves_[item]);
  return saves;
}

void MysqlStore::Committing::CommitTogether(const Items& items) {
  if (items.empty()) return;
  Status failure;
  while (!Attempt(items, failure)) {
    if (MayPass(failure) && Pause()) continue;
    return Fail(items, "nothing was written: ", failure);
  }
}

bool MysqlStore::Committing::Attempt(const Items& items, Status& failure) {
  const std::vector<const SaveRecord*> saves = SavesOf(items);
  BatchResult result;
  {
    StatusOr<Pool::Lease> lease = store_.pool_.Take();
    if (!lease.ok()) return failure = lease.status(), false;
    result = Batch(**lease, store_.local_, store_.limits_).Apply(saves);
    if (result.applied == Applied::kNone && items.size() == 1) {
      outcomes_[items[0]] = Explain(**lease, *saves[0], result.status);
      return true;
    }
  }
  switch (result.applied) {
    case Applied::kAll: return store_.Note(OkStatus()), true;
    case Applied::kNone: return CommitApart(items), true;
    case Applied::kUnknown: return Settle(items, result.status), true;
    case Applied::kFailed: break;
  }
  if (result.status.code() == StatusCode::kUnavailable) store_.pool_.CloseIdle();
  failure = result.status;
  return false;
}

void MysqlStore::Committing::CommitApart(const Items& items) {
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
  CommitTogether(Items(items.begin(), middle));
  CommitTogether(Items(middle, items.end()));
}

// The answer to a commit is missing: asks what is there, and writes what is not.
void MysqlStore::Committing::Settle(const Items& items, const Status& unknown) {
  const std::vector<const SaveRecord*> saves = SavesOf(items);
  Items missing;
  while (true) {
    store_.pool_.CloseIdle();
    {
      StatusOr<Pool::Lease> lease = store_.pool_.Take();
      const auto found =
          lease.ok() ? ReadBack(**lease, saves) : StatusOr<std::vector<Found>>(lease.status());
      if (found.ok()) {
        for (size_t i = 0; i < items.size(); ++i) {
          if ((*found)[i] == Found::kNotWritten) missing.push_back(items[i]);
        }
        break;
      }
    }
    if (!Pause()) return Fail(items, "the answer to a commit is missing: ", unknown);
  }
  CommitTogether(missing);
}

void MysqlStore::Committing::Fail(const Items& items, std::string_view what, const Status& status) {
  store_.Note(status);
  for (const size_t item : items) {
    outcomes_[item] = {SaveResult::kUnknown, Cat(what, Message(status))};
  }
}

bool MysqlStore::Committing::Pause() {
  if (SystemClock().Now() >= give_up_at_) return false;
  std::this_thread::sleep_for(pause_);
  pause_ = std::min(2 * pause_, kPauseMax);
  return true;
}

CommitShape MysqlStore::commit_shape() const {
  return sql::ShapeOfCommits(options_.batch_max, options_.open_conns_max);
}

std::vector<SaveOutcome> MysqlStore::Commit(std::span<const SaveRecord> saves) {
  return Committing(*this, saves).Run();
}

SaveRecord MysqlStore::Encode(const Save& save) const { return dtm::EncodeRows(save, token_); }

StatusOr<std::unique_ptr<Transaction>> MysqlStore::Decode(const StoredRecord& record) const {
  return dtm::DecodeRows(record);
}

}  // namespace troth::mysql
