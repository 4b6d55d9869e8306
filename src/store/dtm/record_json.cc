#include "store/dtm/record_json.h"

#include <utility>

#include "base/text.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"
#include "wire/options_json.h"

namespace troth::dtm {
namespace {

// Most records are no longer, without what has no bound.
constexpr size_t kRecordBytes = 640;

void WriteTimeOrNull(JsonWriter& json, std::string_view key, const std::optional<TimePoint>& time) {
  if (time) {
    json.Field(key, FormatTime(*time));
  } else {
    json.Key(key).Null();
  }
}

void WriteTimeIfSet(JsonWriter& json, std::string_view key, const std::optional<TimePoint>& time) {
  if (time) json.Field(key, FormatTime(*time));
}

Status ReadTime(const JsonObject& json, std::string_view key, std::optional<TimePoint>& out) {
  std::string text;
  TROTH_RETURN_IF_ERROR(json.Read(key, text));
  if (text.empty()) return OkStatus();
  out = ParseTime(text);
  return out ? OkStatus() : InvalidArgument(Cat(key, " '", text, "' is no RFC 3339 time"));
}

// The members of the options, which a record repeats at its end, with the tries used.
std::string FlatOptions(const GlobalRow& row) {
  const std::string_view text = row.options;
  // As EncodeRows writes it, with no tries used or counted: the members as they are.
  if (row.retry_count == 0 && text.starts_with('{') && text.ends_with('}') &&
      text.find("retry_count") == text.npos) {
    return std::string(text.substr(1, text.size() - 2));
  }
  StatusOr<TransOptions> options = ParseOptionsJson(row.options);
  if (!options.ok()) return R"("concurrent":false)";
  options->retry_count = row.retry_count.value_or(options->retry_count);
  const std::string json = OptionsJson(*options);
  return json.substr(1, json.size() - 2);
}

}  // namespace

std::string GlobalJson(const GlobalRow& row) {
  JsonWriter json(kRecordBytes + row.result.size() + row.custom_data.size());
  json.BeginObject().Field("id", 0);
  WriteTimeOrNull(json, "create_time", row.create_time);
  WriteTimeOrNull(json, "update_time", row.update_time);
  json.Field("gid", row.gid).Field("trans_type", row.trans_type).Field("status", row.status);
  json.FieldIfSet("query_prepared", row.query_prepared).FieldIfSet("protocol", row.protocol);
  WriteTimeIfSet(json, "finish_time", row.finish_time);
  WriteTimeIfSet(json, "rollback_time", row.rollback_time);
  json.FieldIfSet("result", row.result).FieldIfSet("rollback_reason", row.rollback_reason);
  json.FieldIfSet("options", row.options).FieldIfSet("custom_data", row.custom_data);
  json.FieldIfSet("next_cron_interval", row.next_cron_interval);
  WriteTimeIfSet(json, "next_cron_time", row.next_cron_time);
  json.FieldIfSet("owner", row.owner).FieldIfSet("ext_data", row.ext_data);
  return json.Raw(FlatOptions(row)).EndObject().Take();
}

std::string BranchJson(std::string_view gid, const BranchRow& row) {
  JsonWriter json(kRecordBytes + 2 * row.bin_data.size());
  json.BeginObject().Field("id", 0);
  WriteTimeOrNull(json, "create_time", row.create_time);
  WriteTimeOrNull(json, "update_time", row.update_time);
  json.Field("gid", gid).FieldIfSet("url", row.url);
  json.FieldIfSet("bin_data", Base64Encode(row.bin_data));
  json.FieldIfSet("branch_id", row.branch_id).Field("op", row.op).Field("status", row.status);
  WriteTimeIfSet(json, "finish_time", row.finish_time);
  return json.EndObject().Take();
}

std::string KvJson(const KvRecord& record) {
  JsonWriter json;
  json.BeginObject().Field("id", static_cast<int64_t>(record.id));
  json.Field("create_time", FormatTime(record.create_time));
  json.Field("update_time", FormatTime(record.update_time));
  json.Field("cat", record.category).Field("k", record.key).Field("v", record.value);
  return json.Field("version", static_cast<int64_t>(record.version)).EndObject().Take();
}

StatusOr<GlobalRow> ParseGlobalJson(std::string_view text) {
  TROTH_ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  GlobalRow row;
  TROTH_RETURN_IF_ERROR(ReadTime(json, "create_time", row.create_time));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "update_time", row.update_time));
  TROTH_RETURN_IF_ERROR(json.Read("gid", row.gid));
  TROTH_RETURN_IF_ERROR(json.Read("trans_type", row.trans_type));
  TROTH_RETURN_IF_ERROR(json.Read("status", row.status));
  TROTH_RETURN_IF_ERROR(json.Read("query_prepared", row.query_prepared));
  TROTH_RETURN_IF_ERROR(json.Read("protocol", row.protocol));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "finish_time", row.finish_time));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "rollback_time", row.rollback_time));
  TROTH_RETURN_IF_ERROR(json.Read("result", row.result));
  TROTH_RETURN_IF_ERROR(json.Read("rollback_reason", row.rollback_reason));
  TROTH_RETURN_IF_ERROR(json.Read("options", row.options));
  TROTH_RETURN_IF_ERROR(json.Read("custom_data", row.custom_data));
  TROTH_RETURN_IF_ERROR(json.Read("next_cron_interval", row.next_cron_interval));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "next_cron_time", row.next_cron_time));
  TROTH_RETURN_IF_ERROR(json.Read("owner", row.owner));
  TROTH_RETURN_IF_ERROR(json.Read("ext_data", row.ext_data));
  int64_t retry_count = 0;
  TROTH_RETURN_IF_ERROR(json.Read("retry_count", retry_count));
  row.retry_count = retry_count;
  return row;
}

StatusOr<BranchRow> ParseBranchJson(std::string_view text) {
  TROTH_ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  BranchRow row;
  std::string data;
  TROTH_RETURN_IF_ERROR(json.Read("branch_id", row.branch_id));
  TROTH_RETURN_IF_ERROR(json.Read("op", row.op));
  TROTH_RETURN_IF_ERROR(json.Read("status", row.status));
  TROTH_RETURN_IF_ERROR(json.Read("url", row.url));
  TROTH_RETURN_IF_ERROR(json.Read("bin_data", data));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "create_time", row.create_time));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "update_time", row.update_time));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "finish_time", row.finish_time));
  std::optional<std::string> bytes = Base64Decode(data);
  if (!bytes) return InvalidArgument("bin_data is not base64");
  row.bin_data = *std::move(bytes);
  return row;
}

StatusOr<KvRecord> ParseKvJson(std::string_view text) {
  TROTH_ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  KvRecord record;
  int64_t id = 0, version = 1;
  std::optional<TimePoint> created, updated;
  TROTH_RETURN_IF_ERROR(json.Read("id", id));
  TROTH_RETURN_IF_ERROR(json.Read("cat", record.category));
  TROTH_RETURN_IF_ERROR(json.Read("k", record.key));
  TROTH_RETURN_IF_ERROR(json.Read("v", record.value));
  TROTH_RETURN_IF_ERROR(json.Read("version", version));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "create_time", created));
  TROTH_RETURN_IF_ERROR(ReadTime(json, "update_time", updated));
  record.id = static_cast<uint64_t>(id);
  record.version = static_cast<uint64_t>(version);
  record.create_time = created.value_or(TimePoint());
  record.update_time = updated.value_or(TimePoint());
  return record;
}

}  // namespace troth::dtm
