#include "store/postgres/pg_save.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "store/dtm/rows.h"

namespace troth::postgres {
namespace {

using dtm::BranchChange;
using dtm::BranchRow;
using dtm::Changes;
using dtm::GlobalRow;

// Rows are sent as arrays, a column each. That all of them were as expected is asserted in SQL, by
// a division by zero otherwise (22012, NotFound): then the commit that follows in the same pipeline
// is not run, and one round trip is enough.
constexpr std::string_view kAssertCount =
    " returning 1) select 1 / (case when (select count(*) from done) = ";
constexpr std::string_view kAssertEnd = " then 1 else 0 end)";

std::string InsertGlobalsText(bool has_troth_state) {
  const std::string_view more = has_troth_state ? ", troth_state" : "";
  return Cat(
      "insert into trans_global (gid, trans_type, status, query_prepared, protocol, "
      "create_time, update_time, finish_time, rollback_time, options, custom_data, "
      "next_cron_interval, next_cron_time, owner, ext_data, result, rollback_reason",
      more,
      ") select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], "
      "$6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], "
      "$10::text[], $11::text[], $12::int4[], $13::timestamptz[], $14::text[], $15::text[], "
      "$16::text[], $17::text[]",
      has_troth_state ? ", $18::text[]" : "",
      ")");
}

// What a save does not change is NULL. `|| ''` keeps the planner off the indexes of status and
// owner: all transactions of a server have the same owner in them, so that each row would be looked
// for among all rows under way and all that were.
std::string UpdateGlobalsText(bool has_troth_state) {
  return Cat(
      "with done as (update trans_global g set status = u.status, update_time = u.update_time, "
      "next_cron_interval = u.next_cron_interval, next_cron_time = u.next_cron_time, "
      "owner = u.owner, finish_time = coalesce(u.finish_time, g.finish_time), "
      "rollback_time = coalesce(u.rollback_time, g.rollback_time), "
      "result = coalesce(u.result, g.result), "
      "rollback_reason = coalesce(u.rollback_reason, g.rollback_reason), "
      "query_prepared = coalesce(u.query_prepared, g.query_prepared), "
      "options = coalesce(u.options, g.options), "
      "custom_data = coalesce(u.custom_data, g.custom_data)",
      has_troth_state ? ", troth_state = coalesce(u.troth_state, g.troth_state)" : "",
      " from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], "
      "$6::int4[], $7::timestamptz[], $8::text[], $9::timestamptz[], $10::timestamptz[], "
      "$11::text[], $12::text[], $13::text[], $14::text[], $15::text[]",
      has_troth_state ? ", $17::text[]" : "",
      ") as u (gid, expected_status, expected_owner, status, update_time, next_cron_interval, "
      "next_cron_time, owner, finish_time, rollback_time, result, rollback_reason, "
      "query_prepared, options, custom_data",
      has_troth_state ? ", troth_state" : "",
      ") where g.gid = u.gid and g.status || '' = u.expected_status "
      "and g.owner || '' = u.expected_owner",
      kAssertCount,
      "$16",
      kAssertEnd);
}

// Ids follow the order of the rows, which is what the order of branches is read from.
const Statement kInsertBranches = {
    "troth_insert_branches",
    "insert into trans_branch_op (gid, url, bin_data, branch_id, op, status, finish_time, "
    "create_time, update_time) select gid, url, bin_data, branch_id, op, status, finish_time, "
    "create_time, update_time from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], "
    "$5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[]) with "
    "ordinality as u (gid, url, bin_data, branch_id, op, status, finish_time, create_time, "
    "update_time, position) order by position"};

const Statement kUpdateBranches = {
    "troth_update_branches",
    "with done as (update trans_branch_op b set status = u.status, update_time = u.update_time, "
    "finish_time = coalesce(u.finish_time, b.finish_time) from unnest($1::text[], $2::text[], "
    "$3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) as u (gid, branch_id, op, "
    "status, update_time, finish_time) where b.gid = u.gid and b.branch_id = u.branch_id and "
    "b.op = u.op and b.status = 'prepared' returning 1) select 1 / (case when (select count(*) "
    "from done) = $7 then 1 else 0 end)"};

// After the update of trans_global has locked the rows, so that no server can add a branch.
const Statement kCountBranches = {
    "troth_count_branches",
    "select 1 / (case when exists (select 1 from unnest($1::text[], $2::int4[]) as u (gid, "
    "branches) "
    "where (select count(*) from trans_branch_op b where b.gid = u.gid) <> u.branches) then 0 "
    "else 1 end)"};

// A column of values made from each item by `put(array, item)`.
template <typename Items, typename Put>
Array Column(Type type, const Items& items, Put put) {
  Array array(type);
  for (const auto& item : items) put(array, item);
  return array;
}

template <typename Items, typename Get>
Array Texts(const Items& items, Get get) {
  return Column(Type::kText, items, [&](Array& a, const auto& item) { a.Text(get(item)); });
}

// Empty texts are NULL.
template <typename Items, typename Get>
Array OptionalTexts(const Items& items, Get get) {
  return Column(Type::kText, items, [&](Array& a, const auto& item) {
    const std::string_view text = get(item);
    text.empty() ? a.Null() : a.Text(text);
  });
}

// Columns keep whole seconds, and PostgreSQL would round up: what was created would be of the
// future, which to a message means that its time has not come.
template <typename Items, typename Get>
Array Times(const Items& items, Get get) {
  return Column(Type::kTime, items, [&](Array& a, const auto& item) {
    const std::optional<TimePoint> time = get(item);
    time ? a.Time(std::chrono::floor<std::chrono::seconds>(*time)) : a.Null();
  });
}

using Saves = std::vector<const SaveRecord*>;

Array Gids(const Saves& saves) {
  return Texts(saves, [](const SaveRecord* s) -> std::string_view { return s->gid; });
}

Array GlobalTexts(const Saves& saves, std::string GlobalRow::* field) {
  return Texts(saves,
               [&](const SaveRecord* s) -> std::string_view { return s->changes->global.*field; });
}
Array ChangedTexts(const Saves& saves, std::string GlobalRow::* field) {
  return OptionalTexts(
      saves, [&](const SaveRecord* s) -> std::string_view { return s->changes->global.*field; });
}
// Only saves that say so write the fixed part, and then an empty text is one.
Array FixedTexts(const Saves& saves, std::string GlobalRow::* field) {
  return Column(Type::kText, saves, [&](Array& a, const SaveRecord* s) {
    s->changes->fixed_changed ? a.Text(s->changes->global.*field) : a.Null();
  });
}
Array GlobalTimes(const Saves& saves, std::optional<TimePoint> GlobalRow::* field) {
  return Times(saves, [&](const SaveRecord* s) { return s->changes->global.*field; });
}
// Stored in whole seconds; what is due must not be due too early.
Array DueTimes(const Saves& saves) {
  return Times(saves, [](const SaveRecord* s) -> std::optional<TimePoint> {
    if (!s->changes->global.next_cron_time) return std::nullopt;
    return dtm::CeilToSecond(*s->changes->global.next_cron_time);
  });
}
Array Intervals(const Saves& saves) {
  return Column(Type::kInt4, saves, [](Array& a, const SaveRecord* s) {
    a.Int(s->changes->global.next_cron_interval);
  });
}

// The saves that create a transaction, or the others.
Saves Select(std::span<const Pending> batch, bool creations) {
  Saves selected;
  for (const Pending& pending : batch) {
    if (pending.save->changes->creation == creations) selected.push_back(pending.save);
  }
  return selected;
}

template <typename Row>
struct Of {
  std::string_view gid;
  const Row* row;
};

// All rows of one kind, each with its gid, in order.
template <typename Row>
std::vector<Of<Row>> Rows(std::span<const Pending> batch, std::vector<Row> Changes::* rows) {
  std::vector<Of<Row>> all;
  for (const Pending& pending : batch) {
    for (const Row& row : (*pending.save->changes).*rows) all.push_back({pending.save->gid, &row});
  }
  return all;
}

Query InsertBranches(const std::vector<Of<BranchRow>>& rows) {
  const auto text = [&](std::string BranchRow::* field) {
    return Texts(rows, [&](const auto& of) -> std::string_view { return of.row->*field; });
  };
  const auto time = [&](std::optional<TimePoint> BranchRow::* field) {
    return Times(rows, [&](const auto& of) { return of.row->*field; });
  };
  Query query = {.statement = &kInsertBranches};
  query.parameters.Add(Texts(rows, [](const auto& of) { return of.gid; }))
      .Add(text(&BranchRow::url))
      .Add(Column(Type::kBytes, rows, [](Array& a, const auto& of) { a.Text(of.row->bin_data); }))
      .Add(text(&BranchRow::branch_id))
      .Add(text(&BranchRow::op))
      .Add(text(&BranchRow::status))
      .Add(time(&BranchRow::finish_time))
      .Add(time(&BranchRow::create_time))
      .Add(time(&BranchRow::update_time));
  return query;
}

Query UpdateBranches(const std::vector<Of<BranchChange>>& rows) {
  Query query = {.statement = &kUpdateBranches};
  query.parameters.Add(Texts(rows, [](const auto& of) { return of.gid; }))
      .Add(Texts(rows, [](const auto& of) -> std::string_view { return of.row->branch_id; }))
      .Add(Texts(rows, [](const auto& of) { return WireName(of.row->op); }))
      .Add(Texts(rows, [](const auto& of) { return WireName(of.row->status); }))
      .Add(Times(rows, [](const auto& of) { return std::optional(of.row->update_time); }))
      .Add(Times(rows, [](const auto& of) { return of.row->finish_time; }))
      .Int(static_cast<int64_t>(rows.size()));
  return query;
}

Query CountBranches(const Saves& counted) {
  Query query = {.statement = &kCountBranches};
  query.parameters.Add(Gids(counted))
      .Add(Column(Type::kInt4, counted, [](Array& a, const SaveRecord* s) {
        a.Int(s->changes->branches_before);
      }));
  return query;
}

}  // namespace

SaveStatements::SaveStatements(bool has_troth_state)
    : has_troth_state_(has_troth_state),
      insert_globals_text_(InsertGlobalsText(has_troth_state)),
      update_globals_text_(UpdateGlobalsText(has_troth_state)),
      insert_globals_{"troth_insert_globals", insert_globals_text_},
      update_globals_{"troth_update_globals", update_globals_text_} {}

Query SaveStatements::InsertGlobals(std::span<const Pending> batch) const {
  const Saves saves = Select(batch, /*creations=*/true);
  Query query = {.statement = &insert_globals_};
  Parameters& p = query.parameters;
  p.Add(Gids(saves))
      .Add(GlobalTexts(saves, &GlobalRow::trans_type))
      .Add(GlobalTexts(saves, &GlobalRow::status))
      .Add(GlobalTexts(saves, &GlobalRow::query_prepared))
      .Add(GlobalTexts(saves, &GlobalRow::protocol))
      .Add(GlobalTimes(saves, &GlobalRow::create_time))
      .Add(GlobalTimes(saves, &GlobalRow::update_time))
      .Add(GlobalTimes(saves, &GlobalRow::finish_time))
      .Add(GlobalTimes(saves, &GlobalRow::rollback_time))
      .Add(GlobalTexts(saves, &GlobalRow::options))
      .Add(GlobalTexts(saves, &GlobalRow::custom_data))
      .Add(Intervals(saves))
      .Add(DueTimes(saves))
      .Add(GlobalTexts(saves, &GlobalRow::owner))
      .Add(GlobalTexts(saves, &GlobalRow::ext_data))
      .Add(GlobalTexts(saves, &GlobalRow::result))
      .Add(GlobalTexts(saves, &GlobalRow::rollback_reason));
  if (has_troth_state_) p.Add(ChangedTexts(saves, &GlobalRow::troth_state));
  return query;
}

Query SaveStatements::UpdateGlobals(std::span<const Pending> batch) const {
  const Saves saves = Select(batch, /*creations=*/false);
  Query query = {.statement = &update_globals_};
  Parameters& p = query.parameters;
  p.Add(Gids(saves))
      .Add(Texts(saves, [](const SaveRecord* s) { return WireName(s->changes->expected_status); }))
      .Add(
          Texts(saves,
                [](const SaveRecord* s) -> std::string_view { return s->changes->expected_owner; }))
      .Add(GlobalTexts(saves, &GlobalRow::status))
      .Add(GlobalTimes(saves, &GlobalRow::update_time))
      .Add(Intervals(saves))
      .Add(DueTimes(saves))
      .Add(GlobalTexts(saves, &GlobalRow::owner))
      .Add(GlobalTimes(saves, &GlobalRow::finish_time))
      .Add(GlobalTimes(saves, &GlobalRow::rollback_time))
      .Add(ChangedTexts(saves, &GlobalRow::result))
      .Add(ChangedTexts(saves, &GlobalRow::rollback_reason))
      .Add(FixedTexts(saves, &GlobalRow::query_prepared))
      .Add(FixedTexts(saves, &GlobalRow::options))
      .Add(FixedTexts(saves, &GlobalRow::custom_data))
      .Int(static_cast<int64_t>(saves.size()));
  if (has_troth_state_) p.Add(ChangedTexts(saves, &GlobalRow::troth_state));
  return query;
}

std::vector<Query> SaveStatements::MakeQueries(std::span<const Pending> batch) const {
  std::vector<Query> queries;
  const Saves changed = Select(batch, /*creations=*/false);
  Saves counted;
  std::ranges::copy_if(changed, std::back_inserter(counted), [](const SaveRecord* s) {
    return s->changes->counts_branches;
  });
  const auto branch_changes = Rows(batch, &Changes::changed);
  const auto branches = Rows(batch, &Changes::added);
  if (!changed.empty()) queries.push_back(UpdateGlobals(batch));
  if (!counted.empty()) queries.push_back(CountBranches(counted));
  if (!branch_changes.empty()) queries.push_back(UpdateBranches(branch_changes));
  if (changed.size() < batch.size()) queries.push_back(InsertGlobals(batch));
  if (!branches.empty()) queries.push_back(InsertBranches(branches));
  return queries;
}

}  // namespace troth::postgres
