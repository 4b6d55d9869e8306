#include "store/dtm/rows.h"

#include <map>
#include <utility>

#include "base/text.h"
#include "store/dtm/owner.h"
#include "store/dtm/troth_state.h"
#include "wire/custom_data.h"
#include "wire/json_reader.h"
#include "wire/options_json.h"

namespace troth::dtm {
namespace {

// --- Transaction -> rows -------------------------------------------------------------------------

bool IsTwoPhase(TransType type) { return type == TransType::kTcc || type == TransType::kXa; }

// What only a creation sets.
void FillIdentity(const Transaction& txn, GlobalRow& row) {
  row.gid = txn.gid;
  row.trans_type = WireName(txn.type);
  row.protocol = WireName(txn.protocol);
  row.create_time = txn.create_time;
  row.ext_data = txn.ext_data;
}

// What a submit may merge.
void FillFixed(const Transaction& txn, GlobalRow& row) {
  row.query_prepared = txn.query_prepared;
  row.options = OptionsJson(txn.options);
  row.custom_data = txn.custom_data;
}

void FillState(const Transaction& txn, GlobalRow& row) {
  row.status = WireName(txn.status);
  row.update_time = txn.update_time;
  row.finish_time = txn.finish_time;
  row.rollback_time = txn.rollback_time;
  row.result = txn.result;
  row.rollback_reason = txn.rollback_reason;
  row.next_cron_interval = txn.next_cron_interval;
  row.next_cron_time = txn.next_cron_time;
  row.retry_count = txn.retry_count;
  row.troth_state = TrothStateJson(txn);
}

BranchRow RowOf(const Transaction& txn, const Branch& branch) {
  return {.branch_id = branch.branch_id,
          .op = std::string(WireName(branch.op)),
          .status = std::string(WireName(branch.status)),
          .url = branch.url,
          .bin_data = std::string(txn.payload(branch)),
          .create_time = branch.create_time,
          .update_time = branch.update_time,
          .finish_time = branch.finish_time};
}

void FillBranches(const Save& save, Changes& changes) {
  const Transaction& txn = *save.txn;
  changes.branches_before = static_cast<uint32_t>(save.branches_from);
  changes.added.reserve(txn.branches.size() - save.branches_from);
  changes.changed.reserve(save.rows_changed.size());
  for (size_t i = save.branches_from; i < txn.branches.size(); ++i) {
    changes.added.push_back(RowOf(txn, txn.branches[i]));
  }
  for (const uint32_t row : save.rows_changed) {
    if (row >= save.branches_from) continue;
    const Branch& branch = txn.branches[row];
    changes.changed.push_back({.position = row,
                               .branch_id = branch.branch_id,
                               .op = branch.op,
                               .status = branch.status,
                               .update_time = branch.update_time,
                               .finish_time = branch.finish_time});
  }
}

Changes ChangesOf(const Save& save, std::string_view token) {
  const Transaction& txn = *save.txn;
  Changes changes;
  changes.creation = save.expected_version == 0;
  changes.fixed_changed = save.fixed_part_changed;
  if (!changes.creation) {
    changes.expected_status = save.expected_status;
    changes.expected_owner =
        ExpectedOwner(txn.owner, save.expected_version, token, save.expected_leased);
    changes.counts_branches = IsTwoPhase(txn.type) && txn.status != TransStatus::kPrepared &&
                              save.expected_status == TransStatus::kPrepared;
  }
  if (changes.creation) FillIdentity(txn, changes.global);
  if (changes.creation || save.fixed_part_changed) FillFixed(txn, changes.global);
  FillState(txn, changes.global);
  changes.global.owner = OwnerText(token, txn.version, txn.leased);
  FillBranches(save, changes);
  return changes;
}

// --- rows -> Transaction -------------------------------------------------------------------------

Status Unusable(std::string_view gid, std::string_view column, std::string_view why) {
  return DataLoss(Cat("transaction ",
                      gid,
                      " cannot be used: column ",
                      column,
                      ": ",
                      why,
                      "; correct the row, or end it by hand (forceStop)"));
}

template <typename Value>
Status Take(const std::optional<Value>& parsed,
            std::string_view gid,
            std::string_view column,
            std::string_view text,
            Value& out) {
  if (!parsed) return Unusable(gid, column, Cat("'", text, "' is not known"));
  out = *parsed;
  return OkStatus();
}

Status ReadTexts(const GlobalRow& row, Transaction& txn) {
  const std::string& gid = row.gid;
  TROTH_RETURN_IF_ERROR(
      Take(ParseTransType(row.trans_type), gid, "trans_type", row.trans_type, txn.type));
  TROTH_RETURN_IF_ERROR(Take(ParseTransStatus(row.status), gid, "status", row.status, txn.status));
  TROTH_RETURN_IF_ERROR(
      Take(ParseProtocol(row.protocol), gid, "protocol", row.protocol, txn.protocol));
  StatusOr<TransOptions> options = ParseOptionsJson(row.options);
  if (!options.ok()) return Unusable(gid, "options", Message(options.status()));
  txn.options = *std::move(options);
  return OkStatus();
}

// Older dtm servers kept headers here; they go along with every branch call.
Status ReadExtData(const GlobalRow& row, Transaction& txn) {
  txn.ext_data = row.ext_data;
  if (row.ext_data.empty()) return OkStatus();
  const StatusOr<JsonObject> json = JsonObject::Parse(row.ext_data);
  std::map<std::string, std::string> headers;
  const Status read = json.ok() ? json->ReadStringMap("headers", headers) : json.status();
  if (!read.ok()) return Unusable(row.gid, "ext_data", Message(read));
  txn.ext_headers.assign(headers.begin(), headers.end());
  return OkStatus();
}

void ReadTimes(const GlobalRow& row, Transaction& txn) {
  // Redis' records of workflows that dtm ended have no creation time.
  txn.create_time = row.create_time.value_or(row.update_time.value_or(TimePoint()));
  txn.update_time = row.update_time.value_or(txn.create_time);
  txn.finish_time = row.finish_time;
  txn.rollback_time = row.rollback_time;
  txn.next_cron_interval = row.next_cron_interval;
  txn.next_cron_time = row.next_cron_time.value_or(txn.create_time);
}

// Both rows of a step carry the same payload, which is kept once.
uint32_t AddPayload(const std::string& bytes, Transaction& txn) {
  if (bytes.empty()) return kNoPayload;
  if (txn.payloads.empty() || txn.payloads.back() != bytes) txn.payloads.push_back(bytes);
  return static_cast<uint32_t>(txn.payloads.size() - 1);
}

Status ReadBranch(const BranchRow& row, Transaction& txn) {
  Branch branch{.branch_id = row.branch_id, .url = row.url};
  TROTH_RETURN_IF_ERROR(Take(ParseBranchOp(row.op), txn.gid, "op", row.op, branch.op));
  TROTH_RETURN_IF_ERROR(Take(
      ParseBranchStatus(row.status), txn.gid, "status of a branch", row.status, branch.status));
  branch.payload = AddPayload(row.bin_data, txn);
  branch.create_time = row.create_time.value_or(txn.create_time);
  branch.update_time = row.update_time.value_or(branch.create_time);
  branch.finish_time = row.finish_time;
  txn.branches.push_back(std::move(branch));
  return OkStatus();
}

// The planner of sagas goes by position: compensate, action, compensate, action ...
Status CheckSagaRows(const Transaction& txn) {
  const auto& rows = txn.branches;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool second = i % 2 == 1;
    const BranchOp wanted = second ? BranchOp::kAction : BranchOp::kCompensate;
    const bool alone = !second && i + 1 == rows.size();
    if (rows[i].op != wanted || alone || (second && rows[i].branch_id != rows[i - 1].branch_id)) {
      return Unusable(txn.gid, "op", "a saga's rows must be compensate and action of each step");
    }
  }
  return OkStatus();
}

}  // namespace

SaveRecord BeginSaveRecord(const Save& save) {
  const Transaction& txn = *save.txn;
  SaveRecord record;
  record.gid = txn.gid;
  record.expected_version = save.expected_version;
  record.version = txn.version;
  record.index = {.type = txn.type,
                  .status = txn.status,
                  .leased = txn.leased,
                  .create_time = txn.create_time,
                  .update_time = txn.update_time,
                  .due = txn.next_cron_time};
  return record;
}

SaveRecord EncodeRows(const Save& save, std::string_view token) {
  SaveRecord record = BeginSaveRecord(save);
  record.changes = std::make_shared<const Changes>(ChangesOf(save, token));
  return record;
}

StoredRecord MakeStoredRecord(Record record) {
  StoredRecord stored;
  stored.gid = record.global.gid;
  stored.version = ReadOwner(record.global.owner, record.global.update_time).version;
  stored.rows = std::make_shared<const Record>(std::move(record));
  return stored;
}

StatusOr<std::unique_ptr<Transaction>> DecodeRows(const StoredRecord& stored) {
  const GlobalRow& row = stored.rows->global;
  auto txn = std::make_unique<Transaction>();
  txn->gid = row.gid;
  TROTH_RETURN_IF_ERROR(ReadTexts(row, *txn));
  TROTH_RETURN_IF_ERROR(ReadExtData(row, *txn));
  ReadTimes(row, *txn);
  txn->query_prepared = row.query_prepared;
  txn->custom_data = row.custom_data;
  txn->result = row.result;
  txn->rollback_reason = row.rollback_reason;
  txn->retry_count = row.retry_count.value_or(txn->options.retry_count);
  for (const BranchRow& branch : stored.rows->branches) {
    TROTH_RETURN_IF_ERROR(ReadBranch(branch, *txn));
  }
  if (txn->type == TransType::kSaga) TROTH_RETURN_IF_ERROR(CheckSagaRows(*txn));
  if (const Status read = ApplyCustomData(*txn); !read.ok()) {
    return Unusable(row.gid, "custom_data", Message(read));
  }
  if (const Status read = ReadTrothState(row.troth_state, *txn); !read.ok()) {
    return Unusable(row.gid, "troth_state", Message(read));
  }
  OwnerInfo owner = ReadOwner(row.owner, row.update_time);
  txn->version = owner.version;
  txn->leased = owner.leased && !IsFinal(txn->status);
  txn->owner = std::move(owner.remembered);
  txn->pages = txn->branches.empty() ? 0 : 1;
  return txn;
}

TimePoint CeilToSecond(TimePoint time) { return std::chrono::ceil<std::chrono::seconds>(time); }

}  // namespace troth::dtm
