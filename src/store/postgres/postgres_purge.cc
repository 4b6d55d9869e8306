// Retention: finished transactions go, in steps that lock few rows for a short time.

#include <algorithm>
#include <utility>

#include "store/postgres/postgres_impl.h"

namespace troth::postgres {
namespace {

// Rows looked at in one statement.
constexpr int64_t kWindow = 1000;

// In the order of creation. NULL in create_time: a workflow that an old server ended.
const Statement kWindowOf = {
    "troth_purge_window",
    "select id, gid, coalesce(create_time < $2, true) as is_old, status in ('succeed', 'failed') "
    "and coalesce(update_time < $2, true) as is_over from trans_global where id > $1 order by id "
    "limit $3"};

const Statement kDeleteGlobals = {
    "troth_purge_globals",
    "delete from trans_global where gid = any($1::text[]) and status in ('succeed', 'failed')"};

const Statement kDeleteBranches = {"troth_purge_branches",
                                   "delete from trans_branch_op where gid = any($1::text[])"};

Query Delete(const Statement& statement, const std::vector<std::string>& gids) {
  Array array(Type::kText);
  for (const std::string& gid : gids) array.Text(gid);
  Query query = {.statement = &statement};
  query.parameters.Add(std::move(array));
  return query;
}

}  // namespace

// Ids grow with the time of creation, nearly: what was created after `before` has not ended before
// it, so that the search ends at the first window of such rows, and never reads the whole table.
StatusOr<std::vector<std::string>> PostgresStore::FindOver(TimePoint before, size_t limit) {
  std::vector<std::string> gids;
  int64_t after = 0;
  while (gids.size() < limit) {
    Query query = {.statement = &kWindowOf};
    query.parameters.Int(after).Time(before).Int(kWindow);
    TROTH_ASSIGN_OR_RETURN(const Result window, Run(query));
    bool any_old = false;
    for (size_t row = 0; row < window.rows() && gids.size() < limit; ++row) {
      any_old = any_old || window.Bool(row, 2);
      if (window.Bool(row, 3)) gids.emplace_back(window.Text(row, 1));
      after = window.Int(row, 0);
    }
    if (!any_old || window.rows() < static_cast<size_t>(kWindow)) break;
  }
  return gids;
}

StatusOr<uint64_t> PostgresStore::Purge(TimePoint before, size_t limit) {
  TROTH_ASSIGN_OR_RETURN(std::vector<std::string> gids, FindOver(before, limit));
  if (gids.empty()) return uint64_t{0};
  std::ranges::sort(gids);
  const std::vector<Query> queries = {Delete(kDeleteGlobals, gids), Delete(kDeleteBranches, gids)};
  TROTH_ASSIGN_OR_RETURN(const std::vector<Result> results, RunTransaction(queries));
  return results.front().affected();
}

}  // namespace troth::postgres
