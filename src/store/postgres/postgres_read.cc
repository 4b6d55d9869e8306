// Transactions as they are stored.

#include <utility>

#include "base/text.h"
#include "store/list_filter.h"
#include "store/postgres/postgres_impl.h"

namespace troth::postgres {
namespace {

// How far back a List that filters has looked: the smallest id, and how many records.
const Statement kScanned = {
    "troth_scanned",
    "select coalesce(min(id), 0), count(*) from (select id from trans_global where id < $1 order "
    "by id desc limit $2) as seen"};

void AddFilter(Parameters& parameters, const ListFilter& filter) {
  filter.status ? parameters.Text(WireName(*filter.status)) : parameters.Null(Type::kText);
  filter.type ? parameters.Text(WireName(*filter.type)) : parameters.Null(Type::kText);
  filter.created_from ? parameters.Time(*filter.created_from) : parameters.Null(Type::kTime);
  filter.created_to ? parameters.Time(*filter.created_to) : parameters.Null(Type::kTime);
}

bool Filters(const ListFilter& filter) {
  return filter.status || filter.type || filter.created_from || filter.created_to;
}

}  // namespace

StatusOr<std::optional<StoredRecord>> PostgresStore::Load(std::string_view gid) {
  Array gids(Type::kText);
  gids.Text(gid);
  Query load = {.statement = &read_statements_.load, .parameters = Parameters().Text(gid)};
  Query branches = {.statement = &read_statements_.branches_of};
  branches.parameters.Add(std::move(gids));
  TROTH_ASSIGN_OR_RETURN(const std::vector<Result> results,
                         RunSnapshot(std::vector<Query>{std::move(load), std::move(branches)}));
  std::vector<StoredRecord> records = MakeRecords(results[0], results[1], has_troth_state_);
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

StatusOr<ListPage> PostgresStore::List(const ListFilter& filter) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t position, ParseListPosition(filter.position));
  const int64_t below = static_cast<int64_t>(std::min<uint64_t>(position, INT64_MAX));
  const auto limit = static_cast<int64_t>(filter.limit);
  const auto scan = Filters(filter) ? static_cast<int64_t>(options_.list_scan_max) : limit;
  const auto list = [&](const Statement& statement) {
    Query query = {.statement = &statement};
    query.parameters.Int(below).Int(scan);
    AddFilter(query.parameters, filter);
    query.parameters.Int(limit);
    return query;
  };
  Query scanned = {.statement = &kScanned, .parameters = Parameters().Int(below).Int(scan)};
  TROTH_ASSIGN_OR_RETURN(
      const std::vector<Result> results,
      RunSnapshot(std::vector<Query>{
          list(read_statements_.list), list(read_statements_.list_branches), std::move(scanned)}));
  const Result& globals = results[0];
  ListPage page;
  page.records = MakeRecords(globals, results[1], has_troth_state_);
  const bool is_full = page.records.size() == filter.limit;
  const bool saw_all = results[2].Int(0, 1) < scan;
  if (is_full && !page.records.empty()) {
    page.next_position =
        MakeListPosition(static_cast<uint64_t>(globals.Int(globals.rows() - 1, 0)));
  } else if (!saw_all) {
    page.next_position = MakeListPosition(static_cast<uint64_t>(results[2].Int(0, 0)));
  }
  return page;
}

}  // namespace troth::postgres
