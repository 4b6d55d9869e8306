#include "wire/options_json.h"

#include <map>
#include <utility>

#include "wire/json_reader.h"
#include "wire/json_writer.h"

namespace troth {

std::string OptionsJson(const TransOptions& options) {
  constexpr size_t kUsualBytes = 64;
  JsonWriter json(kUsualBytes);
  json.BeginObject();
  if (options.wait_result) json.Key("wait_result").Bool(true);
  json.FieldIfSet("timeout_to_fail", options.timeout_to_fail);
  json.FieldIfSet("request_timeout", options.request_timeout);
  json.FieldIfSet("retry_interval", options.retry_interval);
  if (!options.branch_headers.empty()) {
    json.Key("branch_headers").BeginObject();
    for (const auto& [key, value] : options.branch_headers) json.Field(key, value);
    json.EndObject();
  }
  json.Key("concurrent").Bool(options.concurrent);
  json.FieldIfSet("retry_limit", options.retry_limit);
  json.FieldIfSet("retry_count", options.retry_count);
  return json.EndObject().Take();
}

StatusOr<TransOptions> ParseOptionsJson(std::string_view text) {
  TransOptions options;
  if (text.empty()) return options;
  TROTH_ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  TROTH_RETURN_IF_ERROR(json.Read("wait_result", options.wait_result));
  TROTH_RETURN_IF_ERROR(json.Read("timeout_to_fail", options.timeout_to_fail));
  TROTH_RETURN_IF_ERROR(json.Read("request_timeout", options.request_timeout));
  TROTH_RETURN_IF_ERROR(json.Read("retry_interval", options.retry_interval));
  TROTH_RETURN_IF_ERROR(json.Read("concurrent", options.concurrent));
  TROTH_RETURN_IF_ERROR(json.Read("retry_limit", options.retry_limit));
  TROTH_RETURN_IF_ERROR(json.Read("retry_count", options.retry_count));
  std::map<std::string, std::string> headers;  // sorted, as the engine wants them
  TROTH_RETURN_IF_ERROR(json.ReadStringMap("branch_headers", headers));
  options.branch_headers.assign(headers.begin(), headers.end());
  return options;
}

}  // namespace troth
