#include "store/mysql/mysql_batch.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "store/dtm/rows.h"

namespace troth::mysql {
namespace {

using dtm::Changes;
using dtm::Column;
using dtm::GlobalRow;

// Leaves this much of a packet to the protocol.
constexpr size_t kPacketSlack = 1024;
// Statements longer than this cost memory on both sides and save nothing more.
constexpr size_t kStatementBytes = 1 << 20;

// Rows were not as a save expects them: a conflict, which is no failure of the server.
constexpr StatusCode kNotAsExpectedCode = StatusCode::kNotFound;
Status NotAsExpected() { return NotFound("a row is not as it was"); }

bool IsRefusal(const Status& status) {
  return status.code() == StatusCode::kAlreadyExists || status.code() == StatusCode::kOutOfRange;
}

std::optional<TimePoint> EndOf(const GlobalRow& row) {
  return row.finish_time ? row.finish_time : row.rollback_time;
}

}  // namespace

// --- Statements ----------------------------------------------------------------------------------

// One "INSERT INTO ... VALUES (..),(..)" for all rows, or several when it would be too long.
class Batch::Insert {
 public:
  Insert(Batch& batch, std::string head)
      : batch_(batch),
        head_size_(head.size()),
        bytes_max_(std::min(kStatementBytes, batch.connection_.packet_max() - kPacketSlack)),
        sql_(std::move(head)) {}

  // `append(sql)` puts "(value,...)" there.
  template <typename Append>
  Status Add(Append append) {
    const size_t before = sql_.size();
    if (rows_ > 0) sql_ += ',';
    append(sql_);
    if (rows_ > 0 && sql_.size() > bytes_max_) {
      const std::string row = sql_.substr(before + 1);
      sql_.resize(before);
      TROTH_RETURN_IF_ERROR(Flush());
      sql_ += row;
    }
    ++rows_;
    if (sql_.size() + kPacketSlack <= batch_.connection_.packet_max()) return OkStatus();
    return MakeStatus(StatusCode::kOutOfRange,
                      Cat("a row of ",
                          sql_.size() - head_size_,
                          " bytes is more than the server's max_allowed_packet of ",
                          batch_.connection_.packet_max()));
  }

  Status Flush() {
    if (rows_ == 0) return OkStatus();
    const Status done = batch_.ExecuteExpecting(sql_, std::exchange(rows_, 0));
    sql_.resize(head_size_);
    return done;
  }

 private:
  Batch& batch_;
  const size_t head_size_;
  const size_t bytes_max_;
  std::string sql_;
  uint64_t rows_ = 0;
};

Status Batch::ExecuteExpecting(std::string_view sql, uint64_t rows) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t changed, connection_.Execute(sql));
  return changed == rows ? OkStatus() : NotAsExpected();
}

std::string_view Batch::Time(const std::optional<TimePoint>& time) {
  if (!time) return "NULL";
  const TimePoint second = std::chrono::floor<std::chrono::seconds>(*time);
  std::string& literal = times_[second];
  if (literal.empty()) literal = literals_.Time(second);
  return literal;
}

void Batch::AppendText(std::string& sql, std::string_view text) {
  sql += ',';
  Literals::AppendText(sql, text);
}

void Batch::AppendGlobal(std::string& sql, const SaveRecord& save) {
  const GlobalRow& row = save.changes->global;
  sql += '(';
  Literals::AppendText(sql, row.gid);
  CatTo(sql, ",'", row.trans_type, "','", row.status, "'");
  AppendText(sql, row.query_prepared);
  CatTo(sql, ",'", row.protocol, "',", Time(row.create_time), ",", Time(row.update_time));
  CatTo(sql, ",", Time(row.finish_time), ",", Time(row.rollback_time));
  AppendText(sql, row.options);
  AppendText(sql, row.custom_data);
  CatTo(sql, ",", row.next_cron_interval, ",", Time(dtm::CeilToSecond(*row.next_cron_time)));
  AppendText(sql, row.owner);
  AppendText(sql, row.ext_data);
  AppendText(sql, row.result);
  AppendText(sql, limits_.Fit(Column::kRollbackReason, row.rollback_reason));
  if (limits_.has(Column::kTrothState)) {
    row.troth_state.empty() ? CatTo(sql, ",NULL") : AppendText(sql, row.troth_state);
  }
  sql += ')';
}

Status Batch::InsertGlobals(Saves saves) {
  Insert insert(*this,
                Cat("INSERT INTO trans_global (gid,trans_type,status,query_prepared,protocol,"
                    "create_time,update_time,finish_time,rollback_time,options,custom_data,"
                    "next_cron_interval,next_cron_time,owner,ext_data,result,rollback_reason",
                    limits_.has(Column::kTrothState) ? ",troth_state" : "",
                    ") VALUES "));
  for (const SaveRecord* save : saves) {
    if (!save->changes->creation) continue;
    TROTH_RETURN_IF_ERROR(insert.Add([&](std::string& sql) { AppendGlobal(sql, *save); }));
  }
  return insert.Flush();
}

void Batch::AppendAssignment(std::string& sql, std::string_view column, std::string_view text) {
  CatTo(sql, ",", column, "=");
  Literals::AppendText(sql, text);
}

// What an update sets, and what must hold before: saves that say the same share a statement.
// CONCAT keeps the server off the indexes of status and owner: all transactions of a server have
// the same owner in them, so that the rows of other batches would be looked at and locked.
void Batch::AppendUpdate(std::string& sql, const SaveRecord& save) {
  const Changes& changes = *save.changes;
  const GlobalRow& row = changes.global;
  CatTo(sql, "UPDATE trans_global SET status='", row.status, "'");
  CatTo(sql, ",update_time=", Time(row.update_time));
  AppendAssignment(sql, "owner", row.owner);
  if (IsFinal(save.index.status)) {
    // Finished rows are in no claim's way; retention finds them by this time.
    CatTo(sql, ",next_cron_time=", Time(EndOf(row)));
  } else {
    CatTo(sql, ",next_cron_interval=", row.next_cron_interval);
    CatTo(sql, ",next_cron_time=", Time(dtm::CeilToSecond(*row.next_cron_time)));
  }
  if (row.finish_time) CatTo(sql, ",finish_time=", Time(row.finish_time));
  if (row.rollback_time) CatTo(sql, ",rollback_time=", Time(row.rollback_time));
  if (!row.result.empty()) AppendAssignment(sql, "result", row.result);
  if (!row.rollback_reason.empty()) {
    AppendAssignment(
        sql, "rollback_reason", limits_.Fit(Column::kRollbackReason, row.rollback_reason));
  }
  if (!row.troth_state.empty() && limits_.has(Column::kTrothState)) {
    AppendAssignment(sql, "troth_state", row.troth_state);
  }
  if (changes.fixed_changed) {
    AppendAssignment(sql, "query_prepared", row.query_prepared);
    AppendAssignment(sql, "options", row.options);
    AppendAssignment(sql, "custom_data", row.custom_data);
  }
  CatTo(sql, " WHERE CONCAT(status,'')='", WireName(changes.expected_status));
  sql += "' AND CONCAT(owner,'')=";
  Literals::AppendText(sql, changes.expected_owner);
}

void Batch::AddTo(Groups& groups, std::string_view statement, std::string_view item) {
  auto found = groups.find(statement);
  if (found == groups.end()) found = groups.try_emplace(std::string(statement)).first;
  found->second.push_back(item);
}

Status Batch::UpdateGlobals(Saves saves) {
  Groups groups;
  std::string sql;
  for (const SaveRecord* save : saves) {
    if (save->changes->creation) continue;
    sql.clear();
    AppendUpdate(sql, *save);
    AddTo(groups, sql, save->gid);
  }
  for (const auto& [update, gids] : groups) {
    TROTH_RETURN_IF_ERROR(
        ExecuteExpecting(Cat(update, " AND gid IN ", Literals::List(gids)), gids.size()));
  }
  return OkStatus();
}

Status Batch::CountBranches(Saves saves) {
  std::vector<std::string_view> gids;
  for (const SaveRecord* save : saves) {
    if (save->changes->counts_branches) gids.push_back(save->gid);
  }
  if (gids.empty()) return OkStatus();
  const std::string sql = Cat("SELECT gid, COUNT(*) FROM trans_branch_op WHERE gid IN ",
                              Literals::List(gids),
                              " GROUP BY gid");
  TROTH_ASSIGN_OR_RETURN(std::vector<Row> rows, connection_.Query(sql));
  std::map<std::string, int64_t> counts;
  for (Row& row : rows) counts[row[0].value_or("")] = ParseInt(row[1].value_or("")).value_or(0);
  for (const SaveRecord* save : saves) {
    const Changes& changes = *save->changes;
    if (changes.counts_branches && counts[save->gid] != changes.branches_before) {
      return NotAsExpected();
    }
  }
  return OkStatus();
}

void Batch::AppendBranch(std::string& sql, std::string_view gid, const dtm::BranchRow& row) {
  sql += '(';
  Literals::AppendText(sql, gid);
  AppendText(sql, row.url);
  sql += ',';
  Literals::AppendBytes(sql, row.bin_data);
  AppendText(sql, row.branch_id);
  CatTo(sql, ",'", row.op, "','", row.status, "',", Time(row.finish_time), ",");
  CatTo(sql, Time(row.create_time), ",", Time(row.update_time), ")");
}

Status Batch::InsertBranches(Saves saves) {
  Insert insert(*this,
                "INSERT INTO trans_branch_op (gid,url,bin_data,branch_id,op,status,finish_time,"
                "create_time,update_time) VALUES ");
  for (const SaveRecord* save : saves) {
    for (const dtm::BranchRow& row : save->changes->added) {
      TROTH_RETURN_IF_ERROR(
          insert.Add([&](std::string& sql) { AppendBranch(sql, save->gid, row); }));
    }
  }
  return insert.Flush();
}

Status Batch::UpdateBranches(Saves saves) {
  std::vector<Groups> updates;  // what `alike` looks into
  updates.reserve(saves.size());
  std::map<std::string, Alike> alike;
  for (const SaveRecord* save : saves) {
    for (const auto& [update, ids] : updates.emplace_back(UpdatesOf(*save))) {
      Alike& same = alike[Cat(update, Literals::List(ids))];
      same.update = update;
      same.branch_ids = ids;
      same.gids.push_back(save->gid);
    }
  }
  // Lists of gids and of ids are the cheapest form. Ids that nobody else has are named in pairs, so
  // that they do not make a statement each; but a list of one pair MariaDB looks up in the whole
  // table when it updates (10.11), and locks what it passes. Either way there is one row at most
  // for each.
  std::map<std::string_view, std::vector<const Alike*>> single;
  for (const auto& [key, same] : alike) {
    if (same.gids.size() > 1) {
      TROTH_RETURN_IF_ERROR(UpdateAlike(same));
    } else {
      single[same.update].push_back(&same);
    }
  }
  for (const auto& [update, these] : single) {
    TROTH_RETURN_IF_ERROR(these.size() == 1 ? UpdateAlike(*these[0]) : UpdateInPairs(these));
  }
  return OkStatus();
}

Status Batch::UpdateInPairs(std::span<const Alike* const> single) {
  std::vector<std::string> pairs;
  for (const Alike* one : single) {
    for (const std::string_view id : one->branch_ids) {
      pairs.push_back(Literals::List({{one->gids[0], id}}));
    }
  }
  return ExecuteExpecting(
      Cat(single[0]->update, " AND (gid,branch_id) IN (", JoinText(pairs, ","), ")"), pairs.size());
}

Status Batch::UpdateAlike(const Alike& alike) {
  return ExecuteExpecting(Cat(alike.update,
                              " AND gid IN ",
                              Literals::List(alike.gids),
                              " AND branch_id IN ",
                              Literals::List(alike.branch_ids)),
                          alike.gids.size() * alike.branch_ids.size());
}

Batch::Groups Batch::UpdatesOf(const SaveRecord& save) {
  Groups updates;
  std::string sql;
  for (const dtm::BranchChange& change : save.changes->changed) {
    sql.clear();
    CatTo(sql, "UPDATE trans_branch_op SET status='", WireName(change.status), "',finish_time=");
    CatTo(sql, Time(change.finish_time), ",update_time=", Time(change.update_time));
    CatTo(sql, " WHERE status='prepared' AND op='", WireName(change.op), "'");
    AddTo(updates, sql, change.branch_id);
  }
  return updates;
}

// --- The transaction -----------------------------------------------------------------------------

// The global rows first: who holds them has the transactions.
Status Batch::ApplyAll(Saves saves) {
  TROTH_RETURN_IF_ERROR(UpdateGlobals(saves));
  TROTH_RETURN_IF_ERROR(InsertGlobals(saves));
  TROTH_RETURN_IF_ERROR(CountBranches(saves));
  TROTH_RETURN_IF_ERROR(InsertBranches(saves));
  return UpdateBranches(saves);
}

BatchResult Batch::Apply(Saves saves) {
  Status status = connection_.Execute("START TRANSACTION").status();
  if (!status.ok()) return {Applied::kFailed, status};
  status = ApplyAll(saves);
  if (status.ok()) {
    status = connection_.Execute("COMMIT").status();
    if (status.ok()) return {Applied::kAll, status};
    if (!connection_.usable()) return {Applied::kUnknown, status};
  }
  // A lost connection undoes it as well.
  if (connection_.usable()) (void)connection_.Execute("ROLLBACK").status();
  if (status.code() == kNotAsExpectedCode) return {Applied::kNone, OkStatus()};
  return {IsRefusal(status) ? Applied::kNone : Applied::kFailed, status};
}

// --- Afterwards ----------------------------------------------------------------------------------

StatusOr<std::vector<Found>> ReadBack(Connection& connection, Saves saves) {
  std::vector<std::string_view> gids;
  for (const SaveRecord* save : saves) gids.push_back(save->gid);
  // With locks: a transaction that is still open in the server is waited for. In a transaction,
  // since TiDB waits for none elsewhere.
  TROTH_RETURN_IF_ERROR(connection.Execute("START TRANSACTION").status());
  StatusOr<std::vector<Row>> rows = connection.Query(Cat(
      "SELECT gid, owner FROM trans_global WHERE gid IN ", Literals::List(gids), " FOR UPDATE"));
  if (connection.usable()) (void)connection.Execute("ROLLBACK").status();
  TROTH_RETURN_IF_ERROR(rows.status());
  std::map<std::string, std::string> owners;
  for (Row& row : *rows) owners[row[0].value_or("")] = row[1].value_or("");
  std::vector<Found> found;
  for (const SaveRecord* save : saves) {
    const bool written = owners[save->gid] == save->changes->global.owner;
    found.push_back(written ? Found::kWritten : Found::kNotWritten);
  }
  return found;
}

namespace {

// The unique keys of tables that dtm made do not tell 'a' from 'A'.
constexpr std::string_view kAlike =
    ": an entry that differs only in its letters' case is there already; make the column "
    "COLLATE utf8mb4_bin to allow both";

// What a duplicate key is about, when there is one save only.
SaveOutcome ExplainDuplicate(Connection& connection, const SaveRecord& save) {
  const std::vector<std::string_view> gids = {save.gid};
  const std::string condition = Cat(" WHERE gid IN ", Literals::List(gids));
  const auto globals = connection.Query(Cat("SELECT gid FROM trans_global", condition));
  if (!globals.ok()) {
    return {SaveResult::kUnknown, std::string(Message(globals.status()))};
  }
  if (globals->empty()) {
    return {SaveResult::kRefused,
            Cat("rows of trans_branch_op with gid ", save.gid, " are left over; delete them")};
  }
  if ((*globals)[0][0] != save.gid) return {SaveResult::kRefused, Cat("gid ", save.gid, kAlike)};
  const auto branches =
      connection.Query(Cat("SELECT branch_id, op FROM trans_branch_op", condition));
  if (!branches.ok()) {
    return {SaveResult::kUnknown, std::string(Message(branches.status()))};
  }
  if (save.changes->creation) return {SaveResult::kConflict, ""};
  for (const dtm::BranchRow& added : save.changes->added) {
    for (const Row& row : *branches) {
      if (row[0] == added.branch_id && row[1] == added.op) return {SaveResult::kConflict, ""};
    }
  }
  return {SaveResult::kRefused, Cat("a branch_id of gid ", save.gid, kAlike)};
}

}  // namespace

SaveOutcome Explain(Connection& connection, const SaveRecord& save, const Status& status) {
  if (status.ok()) return {SaveResult::kConflict, ""};
  if (status.code() == StatusCode::kAlreadyExists) {
    return ExplainDuplicate(connection, save);
  }
  return {SaveResult::kRefused, std::string(Message(status))};
}

}  // namespace troth::mysql
