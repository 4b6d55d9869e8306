#include "store/postgres/postgres_rows.h"

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"

namespace troth::postgres {
namespace {

constexpr std::string_view kGlobalColumns[] = {"id",
                                               "gid",
                                               "trans_type",
                                               "status",
                                               "query_prepared",
                                               "protocol",
                                               "create_time",
                                               "update_time",
                                               "finish_time",
                                               "rollback_time",
                                               "options",
                                               "custom_data",
                                               "next_cron_interval",
                                               "next_cron_time",
                                               "owner",
                                               "ext_data",
                                               "result",
                                               "rollback_reason"};

dtm::GlobalRow ReadGlobal(const Result& rows, size_t row, bool has_troth_state) {
  size_t column = 0;
  const auto text = [&] { return std::string(rows.Text(row, column++)); };
  const auto time = [&] { return rows.OptionalTime(row, column++); };
  dtm::GlobalRow global;
  global.id = static_cast<uint64_t>(rows.Int(row, column++));
  global.gid = text();
  global.trans_type = text();
  global.status = text();
  global.query_prepared = text();
  global.protocol = text();
  global.create_time = time();
  global.update_time = time();
  global.finish_time = time();
  global.rollback_time = time();
  global.options = text();
  global.custom_data = text();
  global.next_cron_interval = rows.Int(row, column++);
  global.next_cron_time = time();
  global.owner = text();
  global.ext_data = text();
  global.result = text();
  global.rollback_reason = text();
  if (has_troth_state) global.troth_state = text();
  return global;
}

dtm::BranchRow ReadBranch(const Result& rows, size_t row) {
  size_t column = 1;  // after gid
  const auto text = [&] { return std::string(rows.Text(row, column++)); };
  const auto time = [&] { return rows.OptionalTime(row, column++); };
  dtm::BranchRow branch;
  branch.branch_id = text();
  branch.op = text();
  branch.status = text();
  branch.url = text();
  branch.bin_data = text();
  branch.create_time = time();
  branch.update_time = time();
  branch.finish_time = time();
  return branch;
}

std::string GlobalColumns(std::string_view table, bool has_troth_state) {
  std::string out;
  for (const std::string_view column : kGlobalColumns) {
    CatTo(out, out.empty() ? "" : ", ", table, ".", column);
  }
  if (has_troth_state) CatTo(out, ", ", table, ".troth_state");
  return out;
}

constexpr std::string_view kBranchColumns =
    "gid, branch_id, op, status, url, bin_data, create_time, update_time, finish_time";

// The longest due of one status, without waiting for those that another server is claiming.
std::string DueOf(std::string_view status) {
  return Cat("due_",
             status,
             " as (select id, next_cron_time from trans_global where status = '",
             status,
             "' and next_cron_time <= $1 order by next_cron_time limit $4 for update skip locked)");
}

// An update that hands out what it has changed: each row goes to one claimer only, and its owner
// keeps the version of the record (dtm/owner.h).
std::string ClaimText(bool has_troth_state) {
  return Cat("with ",
             DueOf("prepared"),
             ", ",
             DueOf("submitted"),
             ", ",
             DueOf("aborting"),
             ", due as (select * from due_prepared union all select * from due_submitted union all "
             "select * from due_aborting order by next_cron_time limit $4), "
             "claimed as (update trans_global g set next_cron_time = $2, update_time = "
             "date_trunc('second', $1), "
             "owner = $3 || '@' || split_part(g.owner, '@', 2) || '@w' from due "
             "where g.id = due.id returning ",
             GlobalColumns("g", has_troth_state),
             ", due.next_cron_time as was_due) select * from claimed order by was_due, id");
}

// The filter is applied to the newest $2 records below the position, so that a rare one does not
// read the whole table.
std::string ListText(std::string_view columns) {
  return Cat(
      "select ",
      columns,
      " from (select * from trans_global where id < $1 order by id desc limit $2) as g "
      "where ($3::text is null or g.status = $3) and ($4::text is null or g.trans_type = $4) "
      "and ($5::timestamptz is null or g.create_time >= $5) "
      "and ($6::timestamptz is null or g.create_time <= $6) "
      "order by g.id desc limit $7");
}

}  // namespace

ReadStatements::ReadStatements(bool has_troth_state)
    : load_text_(Cat(
          "select ", GlobalColumns("g", has_troth_state), " from trans_global g where g.gid = $1")),
      branches_of_text_(Cat("select ",
                            kBranchColumns,
                            " from trans_branch_op where gid = any($1::text[]) order by id")),
      claim_text_(ClaimText(has_troth_state)),
      list_text_(ListText(GlobalColumns("g", has_troth_state))),
      list_branches_text_(Cat("select ",
                              kBranchColumns,
                              " from trans_branch_op where gid in (",
                              ListText("g.gid"),
                              ") order by id")),
      load{"troth_load", load_text_},
      branches_of{"troth_branches_of", branches_of_text_},
      claim{"troth_claim", claim_text_},
      list{"troth_list", list_text_},
      list_branches{"troth_list_branches", list_branches_text_} {}

std::vector<StoredRecord> MakeRecords(const Result& globals,
                                      const Result& branches,
                                      bool has_troth_state) {
  std::vector<dtm::Record> records(globals.rows());
  absl::flat_hash_map<std::string_view, size_t> positions;
  for (size_t row = 0; row < globals.rows(); ++row) {
    records[row].global = ReadGlobal(globals, row, has_troth_state);
    positions.emplace(globals.Text(row, 1), row);
  }
  for (size_t row = 0; row < branches.rows(); ++row) {
    const auto position = positions.find(branches.Text(row, 0));
    if (position == positions.end()) continue;
    records[position->second].branches.push_back(ReadBranch(branches, row));
  }
  std::vector<StoredRecord> out;
  out.reserve(records.size());
  for (dtm::Record& record : records) out.push_back(dtm::MakeStoredRecord(std::move(record)));
  return out;
}

}  // namespace troth::postgres
