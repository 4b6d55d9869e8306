// Records: one, a page of them, and their end by age.

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "store/list_filter.h"
#include "store/mysql/mysql_store_impl.h"

namespace troth::mysql {
namespace {

// Ids one List looks at when it filters, before it hands back a position: some 10 ms.
constexpr uint64_t kScanIds = 20'000;
// Transactions whose rows are deleted in one database transaction: small, so that nobody waits.
constexpr size_t kPurgeStep = 200;

bool IsFiltered(const ListFilter& filter) {
  return filter.status || filter.type || filter.created_from || filter.created_to;
}

uint64_t IdOf(const Value& value) {
  return static_cast<uint64_t>(ParseInt(value.value_or("")).value_or(0));
}

}  // namespace

StatusOr<std::map<std::string, dtm::Record>> MysqlStore::ReadWhere(std::string_view condition) {
  TROTH_ASSIGN_OR_RETURN(std::vector<Row> rows,
                         Query(RecordsQuery(condition, limits_.has(dtm::Column::kTrothState))));
  return ReadRecords(std::move(rows), local_);
}

StatusOr<std::optional<StoredRecord>> MysqlStore::Load(std::string_view gid) {
  TROTH_ASSIGN_OR_RETURN(auto records, ReadWhere(Cat("gid=", literals_.Text(gid))));
  // Tables that dtm made find 'A' when 'a' is asked for.
  const auto found = records.find(std::string(gid));
  if (found == records.end()) return std::nullopt;
  return dtm::MakeStoredRecord(std::move(found->second));
}

// --- Lists ---------------------------------------------------------------------------------------

std::string MysqlStore::FilterCondition(const ListFilter& filter) const {
  std::string out;
  if (filter.status) CatTo(out, " AND status='", WireName(*filter.status), "'");
  if (filter.type) CatTo(out, " AND trans_type='", WireName(*filter.type), "'");
  if (filter.created_from) CatTo(out, " AND create_time>=", literals_.Time(*filter.created_from));
  if (filter.created_to) CatTo(out, " AND create_time<=", literals_.Time(*filter.created_to));
  return out;
}

StatusOr<ListPage> MysqlStore::List(const ListFilter& filter) {
  TROTH_ASSIGN_OR_RETURN(uint64_t below, ParseListPosition(filter.position));
  const bool filtered = IsFiltered(filter);
  uint64_t from = 0;
  if (filtered) {
    if (filter.position.empty()) {
      TROTH_ASSIGN_OR_RETURN(std::vector<Row> newest, Query("SELECT MAX(id) FROM trans_global"));
      below = IdOf(newest.at(0).at(0)) + 1;
    }
    from = below > kScanIds ? below - kScanIds : 0;
  }
  const auto below_id = std::min<uint64_t>(below, INT64_MAX);
  TROTH_ASSIGN_OR_RETURN(auto records,
                         ReadWhere(Cat("id<",
                                       below_id,
                                       " AND id>=",
                                       from,
                                       FilterCondition(filter),
                                       " ORDER BY id DESC LIMIT ",
                                       filter.limit)));
  std::vector<dtm::Record> sorted;
  for (auto& [gid, record] : records) sorted.push_back(std::move(record));
  std::ranges::sort(
      sorted, std::ranges::greater(), [](const dtm::Record& record) { return record.global.id; });
  ListPage page;
  if (sorted.size() == filter.limit && !sorted.empty()) {
    page.next_position = MakeListPosition(sorted.back().global.id);
  } else if (from > 1) {
    page.next_position = MakeListPosition(from);
  }
  for (dtm::Record& record : sorted)
    page.records.push_back(dtm::MakeStoredRecord(std::move(record)));
  return page;
}

// --- Retention -----------------------------------------------------------------------------------

StatusOr<uint64_t> MysqlStore::Purge(TimePoint before, size_t limit) {
  uint64_t removed = 0;
  while (removed < limit) {
    TROTH_ASSIGN_OR_RETURN(const uint64_t some,
                           PurgeSome(before, std::min<size_t>(kPurgeStep, limit - removed)));
    removed += some;
    if (some == 0) break;
  }
  return removed;
}

// By next_cron_time, which has an index; saves of ours set it to the end, those of dtm to some
// moments after it.
StatusOr<uint64_t> MysqlStore::PurgeSome(TimePoint before, size_t limit) {
  const std::string moment = literals_.Time(before);
  TROTH_ASSIGN_OR_RETURN(std::vector<Row> rows,
                         Query(Cat("SELECT id, gid FROM trans_global WHERE ",
                                   kFinished,
                                   " AND next_cron_time<",
                                   moment,
                                   " AND update_time<",
                                   moment,
                                   " LIMIT ",
                                   limit)));
  if (rows.empty()) return 0;
  std::vector<uint64_t> ids;
  std::vector<std::string_view> gids;
  for (const Row& row : rows) {
    ids.push_back(IdOf(row[0]));
    gids.emplace_back(*row[1]);
  }
  // Finished ones never change. Branches first: what a crash leaves is found again.
  TROTH_RETURN_IF_ERROR(
      Execute(Cat("DELETE FROM trans_branch_op WHERE gid IN ", literals_.List(gids))).status());
  return Execute(Cat("DELETE FROM trans_global WHERE id IN ", Literals::List(ids)));
}

}  // namespace troth::mysql
