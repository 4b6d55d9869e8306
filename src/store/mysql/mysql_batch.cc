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

class Batch::Insert {
 public:
  Insert(Batch& batch, std::string head)
      : batch_(batch),
        head_(std::move(head)),
        bytes_max_(std::min(kStatementBytes, batch.connection_.packet_max() - kPacketSlack)) {}

  Status Add(std::string values) {
    if (rows_ > 0 && head_.size() + rows_text_.size() + values.size() > bytes_max_) {
      TROTH_RETURN_IF_ERROR(Flush());
    }
    if (head_.size() + values.size() + kPacketSlack > batch_.connection_.packet_max()) {
      return MakeStatus(StatusCode::kOutOfRange,
                        Cat("a row of ",
                            values.size(),
                            " bytes is more than the server's max_allowed_packet of ",
                            batch_.connection_.packet_max()));
    }
    CatTo(rows_text_, rows_ > 0 ? "," : "", values);
    ++rows_;
    return OkStatus();
  }

  Status Flush() {
    if (rows_ == 0) return OkStatus();
    const std::string sql = Cat(head_, std::exchange(rows_text_, {}));
    return batch_.ExecuteExpecting(sql, std::exchange(rows_, 0));
  }

 private:
  Batch& batch_;
  const std::string head_;
  const size_t bytes_max_;
  std::string rows_text_;
  uint64_t rows_ = 0;
};

Status Batch::ExecuteExpecting(std::string_view sql, uint64_t rows) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t changed, connection_.Execute(sql));
  return changed == rows ? OkStatus() : NotAsExpected();
}

std::string Batch::GlobalValues(const SaveRecord& save) const {
  const GlobalRow& row = save.changes->global;
  std::string out =
      Cat("(", literals_.Text(row.gid), ",'", row.trans_type, "','", row.status, "',");
  CatTo(out, literals_.Text(row.query_prepared), ",'", row.protocol, "',");
  CatTo(out, literals_.Time(row.create_time), ",", literals_.Time(row.update_time), ",");
  CatTo(out, literals_.Time(row.finish_time), ",", literals_.Time(row.rollback_time), ",");
  CatTo(out, literals_.Text(row.options), ",", literals_.Text(row.custom_data), ",");
  CatTo(out, row.next_cron_interval, ",");
  CatTo(out, literals_.Time(dtm::CeilToSecond(*row.next_cron_time)), ",");
  CatTo(out, literals_.Text(row.owner), ",", literals_.Text(row.ext_data), ",");
  CatTo(out, literals_.Text(row.result), ",");
  CatTo(out, literals_.Text(limits_.Fit(Column::kRollbackReason, row.rollback_reason)));
  if (limits_.has(Column::kTrothState)) {
    CatTo(out, ",", row.troth_state.empty() ? "NULL" : literals_.Text(row.troth_state));
  }
  return Cat(out, ")");
}

Status Batch::InsertGlobals(Saves saves) {
  Insert insert(*this,
                Cat("INSERT INTO trans_global (gid,trans_type,status,query_prepared,protocol,"
                    "create_time,update_time,finish_time,rollback_time,options,custom_data,"
                    "next_cron_interval,next_cron_time,owner,ext_data,result,rollback_reason",
                    limits_.has(Column::kTrothState) ? ",troth_state" : "",
                    ") VALUES "));
  for (const SaveRecord* save : saves) {
    if (save->changes->creation) TROTH_RETURN_IF_ERROR(insert.Add(GlobalValues(*save)));
  }
  return insert.Flush();
}

std::string Batch::FixedAssignments(const GlobalRow& row) const {
  return Cat(",query_prepared=",
             literals_.Text(row.query_prepared),
             ",options=",
             literals_.Text(row.options),
             ",custom_data=",
             literals_.Text(row.custom_data));
}

// What an update sets, and what must hold before: saves that say the same share a statement.
std::string Batch::Assignments(const SaveRecord& save) const {
  const Changes& changes = *save.changes;
  const GlobalRow& row = changes.global;
  std::string out = Cat("status='", row.status, "',owner=", literals_.Text(row.owner));
  CatTo(out, ",update_time=", literals_.Time(row.update_time));
  if (IsFinal(save.index.status)) {
    // Finished rows are in no claim's way; retention finds them by this time.
    CatTo(out, ",next_cron_time=", literals_.Time(EndOf(row)));
  } else {
    CatTo(out, ",next_cron_interval=", row.next_cron_interval);
    CatTo(out, ",next_cron_time=", literals_.Time(dtm::CeilToSecond(*row.next_cron_time)));
  }
  if (row.finish_time) CatTo(out, ",finish_time=", literals_.Time(row.finish_time));
  if (row.rollback_time) CatTo(out, ",rollback_time=", literals_.Time(row.rollback_time));
  if (!row.result.empty()) CatTo(out, ",result=", literals_.Text(row.result));
  if (!row.rollback_reason.empty()) {
    const std::string_view fits = limits_.Fit(Column::kRollbackReason, row.rollback_reason);
    CatTo(out, ",rollback_reason=", literals_.Text(fits));
  }
  if (!row.troth_state.empty() && limits_.has(Column::kTrothState)) {
    CatTo(out, ",troth_state=", literals_.Text(row.troth_state));
  }
  if (changes.fixed_changed) out += FixedAssignments(row);
  return Cat(out,
             " WHERE status='",
             WireName(changes.expected_status),
             "' AND owner=",
             literals_.Text(changes.expected_owner));
}

Status Batch::UpdateGlobals(Saves saves) {
  std::map<std::string, std::vector<std::string_view>> groups;
  for (const SaveRecord* save : saves) {
    if (!save->changes->creation) groups[Assignments(*save)].push_back(save->gid);
  }
  for (const auto& [assignments, gids] : groups) {
    const std::string sql =
        Cat("UPDATE trans_global SET ", assignments, " AND gid IN ", literals_.List(gids));
    TROTH_RETURN_IF_ERROR(ExecuteExpecting(sql, gids.size()));
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
                              literals_.List(gids),
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

std::string Batch::BranchValues(const SaveRecord& save, const dtm::BranchRow& row) const {
  std::string out = Cat("(", literals_.Text(save.gid), ",", literals_.Text(row.url), ",");
  CatTo(
      out, literals_.Bytes(row.bin_data), ",", literals_.Text(row.branch_id), ",'", row.op, "','");
  CatTo(out, row.status, "',", literals_.Time(row.finish_time), ",");
  return Cat(out, literals_.Time(row.create_time), ",", literals_.Time(row.update_time), ")");
}

Status Batch::InsertBranches(Saves saves) {
  Insert insert(*this,
                "INSERT INTO trans_branch_op (gid,url,bin_data,branch_id,op,status,finish_time,"
                "create_time,update_time) VALUES ");
  for (const SaveRecord* save : saves) {
    for (const dtm::BranchRow& row : save->changes->added) {
      TROTH_RETURN_IF_ERROR(insert.Add(BranchValues(*save, row)));
    }
  }
  return insert.Flush();
}

Status Batch::UpdateBranches(Saves saves) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const SaveRecord* save : saves) {
    for (const dtm::BranchChange& change : save->changes->changed) {
      groups[Cat("status='",
                 WireName(change.status),
                 "',finish_time=",
                 literals_.Time(change.finish_time),
                 ",update_time=",
                 literals_.Time(change.update_time))]
          .push_back(Cat("(",
                         literals_.Text(save->gid),
                         ",",
                         literals_.Text(change.branch_id),
                         ",'",
                         WireName(change.op),
                         "')"));
    }
  }
  for (const auto& [assignments, keys] : groups) {
    const std::string sql = Cat("UPDATE trans_branch_op SET ",
                                assignments,
                                " WHERE status='prepared' AND (gid,branch_id,op) IN (",
                                JoinText(keys, ","),
                                ")");
    TROTH_RETURN_IF_ERROR(ExecuteExpecting(sql, keys.size()));
  }
  return OkStatus();
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

StatusOr<std::vector<Found>> ReadBack(Connection& connection,
                                      const dtm::LocalTime& local,
                                      Saves saves) {
  const Literals literals(local);
  std::vector<std::string_view> gids;
  for (const SaveRecord* save : saves) gids.push_back(save->gid);
  // With locks: a transaction that is still open in the server is waited for.
  TROTH_ASSIGN_OR_RETURN(std::vector<Row> rows,
                         connection.Query(Cat("SELECT gid, owner FROM trans_global WHERE gid IN ",
                                              literals.List(gids),
                                              " FOR UPDATE")));
  std::map<std::string, std::string> owners;
  for (Row& row : rows) owners[row[0].value_or("")] = row[1].value_or("");
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
SaveOutcome ExplainDuplicate(Connection& connection,
                             const Literals& literals,
                             const SaveRecord& save) {
  const std::vector<std::string_view> gids = {save.gid};
  const std::string condition = Cat(" WHERE gid IN ", literals.List(gids));
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

SaveOutcome Explain(Connection& connection,
                    const dtm::LocalTime& local,
                    const SaveRecord& save,
                    const Status& status) {
  if (status.ok()) return {SaveResult::kConflict, ""};
  if (status.code() == StatusCode::kAlreadyExists) {
    return ExplainDuplicate(connection, Literals(local), save);
  }
  return {SaveResult::kRefused, std::string(Message(status))};
}

}  // namespace troth::mysql
