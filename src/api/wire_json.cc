#include "api/wire_json.h"

#include "base/text.h"
#include "wire/options_json.h"

namespace troth {
namespace {

void WriteTime(JsonWriter& json, std::string_view key, TimePoint time, UtcOffset offset) {
  json.Field(key, FormatTime(time, offset));
}

void WriteTimeIfSet(JsonWriter& json,
                    std::string_view key,
                    const std::optional<TimePoint>& time,
                    UtcOffset offset) {
  if (time) WriteTime(json, key, *time, offset);
}

void WriteBranch(JsonWriter& json, const Transaction& txn, const Branch& branch, UtcOffset offset) {
  json.BeginObject().Field("id", 0);
  WriteTime(json, "create_time", branch.create_time, offset);
  WriteTime(json, "update_time", branch.update_time, offset);
  json.Field("gid", txn.gid).FieldIfSet("url", branch.url);
  json.FieldIfSet("bin_data", Base64Encode(txn.payload(branch)));
  json.Field("branch_id", branch.branch_id).Field("op", WireName(branch.op));
  json.Field("status", WireName(branch.status));
  WriteTimeIfSet(json, "finish_time", branch.finish_time, offset);
  json.EndObject();
}

void WriteAttempt(JsonWriter& json,
                  const Transaction& txn,
                  const Attempt& attempt,
                  UtcOffset offset) {
  const bool callback = attempt.row == kCallbackAttempt;
  const BranchOp op = txn.type == TransType::kWorkflow ? BranchOp::kWorkflow : BranchOp::kMsg;
  json.BeginObject();
  json.Field("branch_id", callback ? "00" : txn.branches[attempt.row].branch_id);
  json.Field("op", WireName(callback ? op : txn.branches[attempt.row].op));
  WriteTime(json, "time", attempt.time, offset);
  json.Field("outcome", OutcomeName(attempt.outcome));
  json.Field("latency_ms",
             std::chrono::duration_cast<std::chrono::milliseconds>(attempt.latency).count());
  json.Field("error", ToValidUtf8(attempt.error));
  WriteTimeIfSet(json, "next_try", attempt.next_try, offset);
  if (attempt.held_back) json.Key("held_back").Bool(true);
  json.EndObject();
}

}  // namespace

void WriteTransaction(JsonWriter& json, const Transaction& txn, UtcOffset offset) {
  json.BeginObject().Field("id", 0);
  WriteTime(json, "create_time", txn.create_time, offset);
  WriteTime(json, "update_time", txn.update_time, offset);
  json.Field("gid", txn.gid).Field("trans_type", WireName(txn.type));
  json.Field("status", WireName(txn.status)).FieldIfSet("query_prepared", txn.query_prepared);
  json.Field("protocol", WireName(txn.protocol));
  WriteTimeIfSet(json, "finish_time", txn.finish_time, offset);
  WriteTimeIfSet(json, "rollback_time", txn.rollback_time, offset);
  json.FieldIfSet("result", txn.result).FieldIfSet("rollback_reason", txn.rollback_reason);
  json.Field("options", OptionsJson(txn.options)).FieldIfSet("custom_data", txn.custom_data);
  json.FieldIfSet("next_cron_interval", txn.next_cron_interval);
  WriteTime(json, "next_cron_time", txn.next_cron_time, offset);
  json.FieldIfSet("owner", txn.owner).FieldIfSet("ext_data", txn.ext_data);
  json.Key("concurrent").Bool(txn.options.concurrent);
  json.FieldIfSet("retry_count", txn.retry_count).EndObject();
}

void WriteBranches(JsonWriter& json, const Transaction& txn, UtcOffset offset) {
  json.BeginArray();
  for (const Branch& branch : txn.branches) WriteBranch(json, txn, branch, offset);
  json.EndArray();
}

void WriteKv(JsonWriter& json, const KvRecord& kv, UtcOffset offset) {
  json.BeginObject().Field("id", static_cast<int64_t>(kv.id));
  WriteTime(json, "create_time", kv.create_time, offset);
  WriteTime(json, "update_time", kv.update_time, offset);
  json.Field("cat", kv.category).Field("k", kv.key).Field("v", kv.value);
  json.Field("version", static_cast<int64_t>(kv.version)).EndObject();
}

std::string QueryJson(const Transaction* txn, UtcOffset offset) {
  if (txn == nullptr) return R"({"branches":[],"transaction":null})";
  JsonWriter json;
  json.BeginObject().Key("branches");
  WriteBranches(json, *txn, offset);
  json.Key("transaction");
  WriteTransaction(json, *txn, offset);
  return json.EndObject().Take();
}

std::string LookJson(const Transaction& txn, UtcOffset offset) {
  JsonWriter json;
  json.BeginObject().Key("attempts").BeginArray();
  for (const Attempt& attempt : txn.attempts) WriteAttempt(json, txn, attempt, offset);
  json.EndArray().Key("branches");
  WriteBranches(json, txn, offset);
  json.Key("transaction");
  WriteTransaction(json, txn, offset);
  return json.EndObject().Take();
}

std::string ProgressesJson(const Transaction& txn, UtcOffset offset) {
  JsonWriter json;
  json.BeginObject().Key("progresses");
  WriteBranches(json, txn, offset);
  json.Key("transaction");
  WriteTransaction(json, txn, offset);
  return json.EndObject().Take();
}

}  // namespace troth
