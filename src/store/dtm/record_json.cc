#include "store/dtm/record_json.h"

#include <utility>

#include "base/text.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"
#include "wire/options_json.h"

namespace troth::dtm {
namespace {

// Appends a member that dtm leaves out when it is empty. `member` is its name with what stands
// around it: `,"name":`.
void AppendIfSet(TextBuffer& out, std::string_view member, std::string_view text) {
  if (text.empty()) return;
  out.Append(member);
  AppendJsonString(out, text);
}

// The members of the options without the braces around them.
std::string_view Members(std::string_view options) { return options.substr(1, options.size() - 2); }

// What a record repeats of the options at its end: with the tries used.
std::string OptionsWithTries(const Transaction& txn) {
  TransOptions options = txn.options;
  options.retry_count = txn.retry_count;
  return OptionsJson(options);
}

Status ReadTime(const JsonObject& json, std::string_view key, std::optional<TimePoint>& out) {
  std::string text;
  TROTH_RETURN_IF_ERROR(json.Read(key, text));
  if (text.empty()) return OkStatus();
  out = ParseTime(text);
  return out ? OkStatus() : InvalidArgument(Cat(key, " '", text, "' is no RFC 3339 time"));
}

}  // namespace

std::string_view RecordJson::TimeText(TimePoint time) {
  if (times_[newest_].size == 0 || times_[newest_].time != time) newest_ = 1 - newest_;
  KnownTime& known = times_[newest_];
  if (known.size == 0 || known.time != time) {
    char* const begin = known.text.data();
    *begin = '"';
    char* const end = WriteTime(begin + 1, time);
    *end = '"';
    known.time = time;
    known.size = static_cast<size_t>(end + 1 - begin);
  }
  return {known.text.data(), known.size};
}

size_t RecordJson::AppendGlobal(TextBuffer& out, std::string_view owner) {
  const std::string options = OptionsJson(txn_.options);
  const auto append_time = [&](std::string_view member, TimePoint time) {
    out.Append(member);
    out.Append(TimeText(time));
  };
  append_time(R"({"id":0,"create_time":)", txn_.create_time);
  append_time(R"(,"update_time":)", txn_.update_time);
  out.Append(R"(,"gid":)");
  AppendJsonString(out, txn_.gid);
  out.Append(R"(,"trans_type":")");
  out.Append(WireName(txn_.type));
  out.Append(R"(","status":")");
  out.Append(WireName(txn_.status));
  out.Append('"');
  AppendIfSet(out, R"(,"query_prepared":)", txn_.query_prepared);
  out.Append(R"(,"protocol":")");
  out.Append(WireName(txn_.protocol));
  out.Append('"');
  if (txn_.finish_time) append_time(R"(,"finish_time":)", *txn_.finish_time);
  if (txn_.rollback_time) append_time(R"(,"rollback_time":)", *txn_.rollback_time);
  AppendIfSet(out, R"(,"result":)", txn_.result);
  AppendIfSet(out, R"(,"rollback_reason":)", txn_.rollback_reason);
  AppendIfSet(out, R"(,"options":)", options);
  AppendIfSet(out, R"(,"custom_data":)", txn_.custom_data);
  if (txn_.next_cron_interval != 0) {
    out.Append(R"(,"next_cron_interval":)");
    out.AppendNumber(txn_.next_cron_interval);
  }
  append_time(R"(,"next_cron_time":)", txn_.next_cron_time);
  AppendIfSet(out, R"(,"owner":)", owner);
  const size_t owner_end = out.size();
  AppendIfSet(out, R"(,"ext_data":)", txn_.ext_data);
  out.Append(',');
  if (txn_.retry_count == txn_.options.retry_count) {
    out.Append(Members(options));
  } else {
    out.Append(Members(OptionsWithTries(txn_)));
  }
  out.Append('}');
  return out.size() - owner_end;
}

void RecordJson::AppendBranch(TextBuffer& out, const Branch& branch) {
  out.Append(R"({"id":0,"create_time":)");
  out.Append(TimeText(branch.create_time));
  out.Append(R"(,"update_time":)");
  out.Append(TimeText(branch.update_time));
  out.Append(R"(,"gid":)");
  AppendJsonString(out, txn_.gid);
  AppendIfSet(out, R"(,"url":)", branch.url);
  AppendIfSet(out, R"(,"bin_data":)", Base64Encode(txn_.payload(branch)));
  AppendIfSet(out, R"(,"branch_id":)", branch.branch_id);
  out.Append(R"(,"op":")");
  out.Append(WireName(branch.op));
  out.Append(R"(","status":")");
  out.Append(WireName(branch.status));
  out.Append('"');
  if (branch.finish_time) {
    out.Append(R"(,"finish_time":)");
    out.Append(TimeText(*branch.finish_time));
  }
  out.Append('}');
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
