#include "store/dtm/troth_state.h"

#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"

namespace troth::dtm {
namespace {

// Members are texts throughout, which is what JsonObject reads in arrays.
void WriteAttempt(JsonWriter& json, const Attempt& attempt) {
  json.BeginObject();
  if (attempt.row != kCallbackAttempt) json.Field("row", Cat(attempt.row));
  json.Field("outcome", OutcomeName(attempt.outcome));
  json.Field("time", FormatTime(attempt.time));
  json.Field("latency_us", Cat(attempt.latency.count()));
  json.FieldIfSet("error", attempt.error);
  if (attempt.next_try) json.Field("next_try", FormatTime(*attempt.next_try));
  json.FieldIfSet("held_back", attempt.held_back ? "1" : "");
  json.EndObject();
}

BranchOutcome ParseOutcome(std::string_view name) {
  for (const auto outcome :
       {BranchOutcome::kSucceeded, BranchOutcome::kFailed, BranchOutcome::kOngoing}) {
    if (name == OutcomeName(outcome)) return outcome;
  }
  return BranchOutcome::kUnknown;
}

Attempt ReadAttempt(std::map<std::string, std::string>& members) {
  Attempt attempt{.row = kCallbackAttempt};
  if (const auto row = ParseInt(members["row"])) attempt.row = static_cast<uint32_t>(*row);
  attempt.outcome = ParseOutcome(members["outcome"]);
  attempt.time = ParseTime(members["time"]).value_or(TimePoint());
  attempt.latency = Duration(ParseInt(members["latency_us"]).value_or(0));
  attempt.error = std::move(members["error"]);
  attempt.next_try = ParseTime(members["next_try"]);
  attempt.held_back = !members["held_back"].empty();
  return attempt;
}

}  // namespace

std::string TrothStateJson(const Transaction& txn) {
  if (txn.attempts.empty() && txn.retry_count == txn.options.retry_count) return {};
  JsonWriter json;
  json.BeginObject().Field("retry_count", txn.retry_count);
  if (!txn.attempts.empty()) {
    json.Key("attempts").BeginArray();
    for (const Attempt& attempt : txn.attempts) WriteAttempt(json, attempt);
    json.EndArray();
  }
  return json.EndObject().Take();
}

Status ReadTrothState(std::string_view text, Transaction& txn) {
  if (text.empty()) return OkStatus();
  TROTH_ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  TROTH_RETURN_IF_ERROR(json.Read("retry_count", txn.retry_count));
  std::vector<std::map<std::string, std::string>> attempts;
  TROTH_RETURN_IF_ERROR(json.ReadStringMaps("attempts", attempts));
  for (auto& members : attempts) {
    Attempt attempt = ReadAttempt(members);
    if (attempt.row != kCallbackAttempt && attempt.row >= txn.branches.size()) continue;
    txn.attempts.push_back(std::move(attempt));
  }
  return OkStatus();
}

}  // namespace troth::dtm
