// What is due, and who gets it.

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "store/dtm/owner.h"
#include "store/mysql/mysql_store_impl.h"

namespace troth::mysql {
namespace {

// The number of unfinished transactions is for people: counted now and then, and not beyond this.
constexpr Duration kCountInterval = Seconds(15);
constexpr uint64_t kCountMax = 1'000'000;
// Rows found due may be another server's a moment later; then others are looked for.
constexpr int kClaimAttempts = 5;

constexpr std::string_view kUnfinishedStatuses[] = {"prepared", "submitted", "aborting"};

}  // namespace

// By each status on its own, because that is how the index has them.
StatusOr<std::vector<MysqlStore::DueRow>> MysqlStore::FindDue(TimePoint now, size_t limit) {
  std::string sql;
  for (const std::string_view status : kUnfinishedStatuses) {
    CatTo(sql, sql.empty() ? "" : " UNION ALL ", "(SELECT id, CAST(gid AS BINARY), next_cron_time");
    CatTo(sql, " FROM trans_global WHERE status='", status, "' AND next_cron_time<=");
    CatTo(sql, literals_.Time(now), " ORDER BY next_cron_time LIMIT ", limit, ")");
  }
  TROTH_ASSIGN_OR_RETURN(std::vector<Row> rows, Query(sql));
  std::ranges::sort(rows, {}, [](const Row& row) { return std::pair(row[2], row[0]); });
  if (rows.size() > limit) rows.resize(limit);
  std::vector<DueRow> due;
  for (Row& row : rows) {
    const auto id = ParseInt(row[0].value_or(""));
    due.push_back({.id = static_cast<uint64_t>(id.value_or(0)), .gid = row[1].value_or("")});
  }
  return due;
}

StatusOr<std::vector<StoredRecord>> MysqlStore::ClaimDue(TimePoint now,
                                                         TimePoint lease_until,
                                                         size_t limit) {
  next_poll_ = ToMicros(SystemClock().Now() + options_.poll_interval);
  CountUnfinished(SystemClock().Now());
  for (int attempt = 0; attempt < kClaimAttempts; ++attempt) {
    StatusOr<std::vector<DueRow>> due = FindDue(now, limit);
    Note(due.status());
    if (!due.ok()) return due.status();
    if (due->empty()) return std::vector<StoredRecord>();
    const std::string token = NewToken();
    std::vector<uint64_t> ids;
    for (const DueRow& row : *due) ids.push_back(row.id);
    // As dtm::ClaimedOwnerText says.
    TROTH_ASSIGN_OR_RETURN(
        const uint64_t claimed,
        Execute(Cat("UPDATE trans_global SET update_time=",
                    literals_.Time(now),
                    ",next_cron_time=",
                    literals_.Time(dtm::CeilToSecond(lease_until)),
                    ",owner=CONCAT('",
                    token,
                    "@',SUBSTRING_INDEX(SUBSTRING_INDEX(owner,'@',2),'@',-1),'@w') WHERE ",
                    kUnfinished,
                    " AND next_cron_time<=",
                    literals_.Time(now),
                    " AND id IN ",
                    Literals::List(ids))));
    if (claimed == 0) continue;
    if (due->size() == limit) next_poll_ = 0;  // likely there is more
    return ReadClaimed(*due, token);
  }
  return std::vector<StoredRecord>();
}

StatusOr<std::vector<StoredRecord>> MysqlStore::ReadClaimed(const std::vector<DueRow>& due,
                                                            std::string_view token) {
  TROTH_ASSIGN_OR_RETURN(auto records, ReadWhere(Cat("owner LIKE '", token, "@%'")));
  std::vector<StoredRecord> claimed;
  for (const DueRow& row : due) {  // the longest due first
    const auto found = records.find(row.gid);
    if (found != records.end()) claimed.push_back(dtm::MakeStoredRecord(std::move(found->second)));
  }
  return claimed;
}

std::optional<TimePoint> MysqlStore::NextDue() {
  return FromMicros(next_poll_.load(std::memory_order_relaxed));
}

void MysqlStore::CountUnfinished(TimePoint now) {
  if (ToMicros(now) < next_count_) return;
  next_count_ = ToMicros(now + kCountInterval);
  const auto counted = Query(Cat("SELECT COUNT(*) FROM (SELECT 1 FROM trans_global WHERE ",
                                 kUnfinished,
                                 " LIMIT ",
                                 kCountMax,
                                 ") unfinished"));
  if (!counted.ok() || counted->empty()) return;  // the next one tells
  unfinished_ = static_cast<uint64_t>(ParseInt((*counted)[0][0].value_or("")).value_or(0));
}

StatusOr<ResetCount> MysqlStore::ResetDue(TimePoint now, TimePoint after, size_t limit) {
  // What is due already is not moved; and what was moved is not counted as more.
  const std::string later =
      Cat(kUnfinished, " AND next_cron_time>", literals_.Time(std::max(now, after)));
  ResetCount count;
  TROTH_ASSIGN_OR_RETURN(count.changed,
                         Execute(Cat("UPDATE trans_global SET update_time=",
                                     literals_.Time(now),
                                     ",next_cron_time=",
                                     literals_.Time(now),
                                     " WHERE ",
                                     later,
                                     " LIMIT ",
                                     limit)));
  TROTH_ASSIGN_OR_RETURN(const std::vector<Row> rest,
                         Query(Cat("SELECT 1 FROM trans_global WHERE ", later, " LIMIT 1")));
  count.more = !rest.empty();
  return count;
}

}  // namespace troth::mysql
