// Commit: what waits is carried out as one database transaction. What fails as a batch is halved
// until the save in the way is alone; what is in doubt is read back.

#include <algorithm>
#include <map>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "store/dtm/rows.h"
#include "store/postgres/pg_error.h"
#include "store/postgres/postgres_impl.h"
#include "store/sql_commit.h"

namespace troth::postgres {
namespace {

// Deadlocks and rows that somebody holds: short waits, since the other side is at work.
constexpr Duration kRetryMin = std::chrono::milliseconds(2);
constexpr Duration kRetryMax = std::chrono::milliseconds(100);

const Statement kOwners = {"troth_owners",
                           "select gid, owner from trans_global where gid = any($1::text[])"};

TimePoint Now() { return SystemClock().Now(); }

// Twice as long each time, up to a bound, spread so that two servers do not meet again.
class Waits {
 public:
  // `chance`: uniform in [0, 1).
  void Wait(double chance) {
    std::this_thread::sleep_for(std::chrono::duration_cast<Duration>(next_ * (0.5 + chance)));
    next_ = std::min(next_ * 2, kRetryMax);
  }

 private:
  Duration next_ = kRetryMin;
};

// Whether the same saves can go through as they are, later.
bool MayPass(const Status& status) {
  switch (status.code()) {
    case StatusCode::kAborted:
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kResourceExhausted: return true;
    default: return false;
  }
}

// Whether the failure is one of the database, not of a save in the batch.
bool IsTheDatabases(const Status& status) {
  return MayPass(status) || status.code() == StatusCode::kFailedPrecondition;
}

SaveResult ResultOf(const Status& failure) {
  switch (failure.code()) {
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists: return SaveResult::kConflict;
    case StatusCode::kOutOfRange:
    case StatusCode::kInvalidArgument: return SaveResult::kRefused;
    default: return SaveResult::kUnknown;
  }
}

}  // namespace

CommitShape PostgresStore::commit_shape() const {
  return sql::ShapeOfCommits(options_.batch_max, options_.open_connections_max);
}

std::vector<SaveOutcome> PostgresStore::Commit(std::span<const SaveRecord> saves) {
  std::vector<SaveOutcome> outcomes(saves.size());
  const std::vector<std::vector<Pending>> batches = BatchesOf(saves, outcomes);
  // A database that was away for the last commit is given one try only, so that callers hear soon.
  const TimePoint give_up = down_ ? Now() : Now() + options_.commit_patience;
  Status away;
  for (const std::vector<Pending>& batch : batches) {
    if (away.ok()) {
      away = CommitBatch(batch, give_up);
    } else {
      for (const Pending& pending : batch) SettleOne(pending, away, /*in_doubt=*/false);
    }
  }
  return outcomes;
}

std::vector<std::vector<Pending>> PostgresStore::BatchesOf(std::span<const SaveRecord> saves,
                                                           std::vector<SaveOutcome>& outcomes) {
  // The n-th save of a gid belongs to round n: it must see those before it.
  std::vector<std::vector<Pending>> rounds;
  std::unordered_map<std::string_view, size_t> seen;
  seen.reserve(saves.size());
  for (size_t i = 0; i < saves.size(); ++i) {
    TROTH_CHECK(saves[i].changes != nullptr);
    if (const Status refused = limits_.Check(*saves[i].changes); !refused.ok()) {
      outcomes[i] = {.result = SaveResult::kRefused, .error = std::string(Message(refused))};
      continue;
    }
    const size_t round = seen[saves[i].gid]++;
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back({.save = &saves[i], .outcome = &outcomes[i]});
  }
  std::vector<std::vector<Pending>> batches;
  for (std::vector<Pending>& round : rounds) {
    // Every server locks rows in the same order, which leaves few deadlocks.
    std::ranges::sort(round, {}, [](const Pending& p) -> std::string_view { return p.save->gid; });
    for (size_t from = 0; from < round.size(); from += options_.batch_max) {
      const auto begin = round.begin() + static_cast<std::ptrdiff_t>(from);
      const size_t size = std::min(options_.batch_max, round.size() - from);
      batches.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
    }
  }
  return batches;
}

Status PostgresStore::CommitBatch(Batch batch, TimePoint give_up) {
  bool in_doubt = false;
  const Status status = TryBatch(batch, give_up, in_doubt);
  if (status.ok()) return status;  // outcomes say kStored from the start
  if (batch.size() > 1 && !IsTheDatabases(status)) return CommitHalves(batch, give_up);
  for (const Pending& pending : batch) SettleOne(pending, status, in_doubt);
  return down_ ? status : OkStatus();
}

Status PostgresStore::TryBatch(Batch batch, TimePoint give_up, bool& in_doubt) {
  Waits waits;
  while (true) {
    bool sent = false;
    Status status = RunBatch(batch, sent);
    if (sent && !status.ok() && !SurelyNotDone(status)) in_doubt = true;
    if (in_doubt && !status.ok()) {
      const StatusOr<bool> stored = WasStored(batch);
      if (stored.ok() && *stored) status = OkStatus();
    }
    Learn(status);
    down_ = !status.ok() && IsTheDatabases(status) && status.code() != StatusCode::kAborted;
    if (status.ok() || !MayPass(status) || Now() >= give_up) return status;
    LogDebug("a commit is tried again", {{"saves", batch.size()}, {"error", status}});
    waits.Wait(Chance());
  }
}

Status PostgresStore::RunBatch(Batch batch, bool& sent) {
  TROTH_ASSIGN_OR_RETURN(const Pool::Lease connection, pool_.Take());
  sent = true;
  return connection->RunTransaction(save_statements_.MakeQueries(batch)).status();
}

Status PostgresStore::CommitHalves(Batch batch, TimePoint give_up) {
  const Status first = CommitBatch(batch.first(batch.size() / 2), give_up);
  const Status second = CommitBatch(batch.subspan(batch.size() / 2), give_up);
  return second.ok() ? first : second;
}

void PostgresStore::SettleOne(const Pending& pending, const Status& failure, bool in_doubt) {
  SaveResult result = ResultOf(failure);
  // It may be our own first attempt that is in the way, and another server may have gone on from
  // it: reading tells.
  if (in_doubt && result == SaveResult::kConflict) result = SaveResult::kUnknown;
  *pending.outcome = {.result = result};
  if (result != SaveResult::kConflict) pending.outcome->error = Message(failure);
}

StatusOr<bool> PostgresStore::WasStored(Batch batch) {
  std::map<std::string_view, std::string_view> owners;
  Array gids(Type::kText);
  for (const Pending& pending : batch) {
    owners[pending.save->gid] = pending.save->changes->global.owner;
    gids.Text(pending.save->gid);
  }
  Query query = {.statement = &kOwners};
  query.parameters.Add(std::move(gids));
  TROTH_ASSIGN_OR_RETURN(const Result result, Run(query));
  // All or none was stored. One row that is ours does not suffice: an earlier attempt at the same
  // save may have left it, which was in another batch. If another server has gone on with one of
  // them meanwhile, the batch is tried again, and its saves find out one by one.
  size_t ours = 0;
  for (size_t row = 0; row < result.rows(); ++row) {
    if (owners[result.Text(row, 0)] == result.Text(row, 1)) ++ours;
  }
  return ours == batch.size();
}

double PostgresStore::Chance() {
  absl::MutexLock lock(&mutex_);
  return random_.Unit();
}

void PostgresStore::Learn(const Status& status) {
  if (status.code() == StatusCode::kUnavailable ||
      status.code() == StatusCode::kFailedPrecondition) {
    pool_.CloseIdle();
  }
}

}  // namespace troth::postgres
