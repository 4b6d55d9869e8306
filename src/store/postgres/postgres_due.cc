// What is due, and who gets it.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/postgres/postgres_impl.h"

namespace troth::postgres {
namespace {

// How often the unfinished are counted, and how far: the figure is for people.
constexpr Duration kCountInterval = Seconds(10);

const Statement kCountUnfinished = {
    "troth_count_unfinished",
    "select count(*) from (select 1 from trans_global where status in ('prepared', 'submitted', "
    "'aborting') limit 100000) as found"};

const Statement kResetDue = {
    "troth_reset_due",
    "update trans_global set next_cron_time = date_trunc('second', $1), update_time = "
    "date_trunc('second', $1) where id "
    "in (select id from "
    "trans_global where status in ('prepared', 'submitted', 'aborting') and next_cron_time > $2 "
    "limit $3)"};

const Statement kAnyDueAfter = {
    "troth_any_due_after",
    "select exists (select 1 from trans_global where status in ('prepared', 'submitted', "
    "'aborting') and next_cron_time > $1)"};

}  // namespace

StatusOr<std::vector<StoredRecord>> PostgresStore::ClaimDue(TimePoint now,
                                                            TimePoint lease_until,
                                                            size_t limit) {
  std::string claim_token;
  {
    absl::MutexLock lock(&mutex_);
    claim_token = NewGid(random_);
  }
  // Asked for again in a while, or at once when there was more than wanted.
  next_claim_micros_ = ToMicros(now + options_.claim_interval);
  Query query = {.statement = &read_statements_.claim};
  query.parameters.Time(now)
      .Time(dtm::CeilToSecond(lease_until))
      .Text(claim_token)
      .Int(static_cast<int64_t>(limit));
  TROTH_ASSIGN_OR_RETURN(const Result claimed, Run(query));
  if (claimed.rows() == limit) next_claim_micros_ = ToMicros(now);
  CountUnfinished(now);
  return LoadClaimed(claimed);
}

// Read after the claim, the branches are as new as the record or newer: nobody else writes them
// now.
StatusOr<std::vector<StoredRecord>> PostgresStore::LoadClaimed(const Result& claimed) {
  if (claimed.rows() == 0) return std::vector<StoredRecord>();
  Array gids(Type::kText);
  for (size_t row = 0; row < claimed.rows(); ++row) gids.Text(claimed.Text(row, 1));
  Query query = {.statement = &read_statements_.branches_of};
  query.parameters.Add(std::move(gids));
  TROTH_ASSIGN_OR_RETURN(const Result branches, Run(query));
  return MakeRecords(claimed, branches, has_troth_state_);
}

std::optional<TimePoint> PostgresStore::NextDue() { return FromMicros(next_claim_micros_); }

StatusOr<ResetCount> PostgresStore::ResetDue(TimePoint now, TimePoint after, size_t limit) {
  after = std::max(after, now);  // the others are due already
  Query reset = {.statement = &kResetDue};
  reset.parameters.Time(now).Time(after).Int(static_cast<int64_t>(limit));
  Query more = {.statement = &kAnyDueAfter};
  more.parameters.Time(after);
  TROTH_ASSIGN_OR_RETURN(const std::vector<Result> results,
                         RunTransaction(std::vector<Query>{std::move(reset), std::move(more)}));
  next_claim_micros_ = ToMicros(now);
  return ResetCount{.changed = results[0].affected(), .more = results[1].Bool(0, 0)};
}

void PostgresStore::CountUnfinished(TimePoint now) {
  {
    absl::MutexLock lock(&mutex_);
    if (now - counted_at_ < kCountInterval && now >= counted_at_) return;
    counted_at_ = now;
  }
  const StatusOr<Result> counted = Run({.statement = &kCountUnfinished});
  if (counted.ok()) {
    unfinished_ = static_cast<uint64_t>(counted->Int(0, 0));
  } else {
    LogWarn("unfinished transactions could not be counted", {{"error", counted.status()}});
  }
}

uint64_t PostgresStore::Unfinished() { return unfinished_; }

std::optional<TimePoint> PostgresStore::OldestCreation() { return std::nullopt; }

}  // namespace troth::postgres
