#include "api/json_input.h"

#include <utility>

namespace troth {
namespace {

Status ReadOptions(const JsonObject& body, TransOptions& options) {
  TROTH_RETURN_IF_ERROR(body.Read("wait_result", options.wait_result));
  TROTH_RETURN_IF_ERROR(body.Read("timeout_to_fail", options.timeout_to_fail));
  TROTH_RETURN_IF_ERROR(body.Read("request_timeout", options.request_timeout));
  TROTH_RETURN_IF_ERROR(body.Read("retry_interval", options.retry_interval));
  TROTH_RETURN_IF_ERROR(body.Read("concurrent", options.concurrent));
  TROTH_RETURN_IF_ERROR(body.Read("retry_limit", options.retry_limit));
  TROTH_RETURN_IF_ERROR(body.Read("retry_count", options.retry_count));
  std::map<std::string, std::string> headers;
  TROTH_RETURN_IF_ERROR(body.ReadStringMap("branch_headers", headers));
  options.branch_headers.assign(headers.begin(), headers.end());
  return OkStatus();
}

// Steps; the payload text of an old-style step ("data") goes after the payloads.
Status ReadSteps(const JsonObject& body, TransInput& input) {
  std::vector<std::map<std::string, std::string>> steps;
  TROTH_RETURN_IF_ERROR(body.ReadStringMaps("steps", steps));
  for (auto& step : steps) {
    input.steps.push_back({TakeText(step, "action"), TakeText(step, "compensate")});
    std::string data = TakeText(step, "data");
    if (!data.empty()) input.payloads.push_back(std::move(data));
  }
  return OkStatus();
}

}  // namespace

StatusOr<TransInput> ReadTransInput(const JsonObject& body) {
  TransInput input;
  TROTH_RETURN_IF_ERROR(body.Read("gid", input.gid));
  TROTH_RETURN_IF_ERROR(body.Read("trans_type", input.trans_type));
  TROTH_RETURN_IF_ERROR(body.Read("protocol", input.protocol));
  TROTH_RETURN_IF_ERROR(body.Read("query_prepared", input.query_prepared));
  TROTH_RETURN_IF_ERROR(body.Read("custom_data", input.custom_data));
  TROTH_RETURN_IF_ERROR(body.Read("rollback_reason", input.rollback_reason));
  TROTH_RETURN_IF_ERROR(body.ReadStrings("payloads", input.payloads));
  TROTH_RETURN_IF_ERROR(body.ReadStringMap("req_extra", input.req_extra));
  TROTH_RETURN_IF_ERROR(ReadOptions(body, input.options));
  TROTH_RETURN_IF_ERROR(ReadSteps(body, input));
  return input;
}

StatusOr<BranchInput> ReadBranchInput(const JsonObject& body) {
  using StringMap = std::map<std::string, std::string>;
  TROTH_ASSIGN_OR_RETURN(StringMap fields, body.AllStrings());
  BranchInput input;
  input.gid = std::move(fields["gid"]);
  input.trans_type = std::move(fields["trans_type"]);
  input.branch_id = std::move(fields["branch_id"]);
  input.payload = std::move(fields["data"]);
  input.data = std::move(fields);
  return input;
}

std::string CleanGid(std::string_view gid) {
  std::string out;
  for (char c : gid) {
    if (c != '\n' && c != '\r' && c != ';') out += c;
  }
  return out;
}

}  // namespace troth
