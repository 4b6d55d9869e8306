#include "bench/load/dtm_messages.h"

#include "base/text.h"

namespace troth::bench {
namespace {

// What each branch is asked: {"amount": 30} of an account, as in dtm's examples.
constexpr std::string_view kGrpcPayload("\x08\x1e", 2);
constexpr std::string_view kHttpPayload = R"({"amount":30})";

// --- protobuf: proto/dtmgimp.proto ---------------------------------------------------------------

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 128; value >>= 7) out += static_cast<char>(value % 128 + 128);
  out += static_cast<char>(value);
}

void AppendField(std::string& out, int number, std::string_view bytes) {
  AppendVarint(out, static_cast<uint64_t>(number) << 3 | 2);
  AppendVarint(out, bytes.size());
  out += bytes;
}

void AppendMapEntry(std::string& out, int number, std::string_view key, std::string_view value) {
  std::string entry;
  AppendField(entry, 1, key);
  AppendField(entry, 2, value);
  AppendField(out, number, entry);
}

// The gid is the first field of every message.
Request GrpcRequest(std::string_view method, std::string after_gid) {
  Request request{.path = Cat("/dtmgimp.Dtm/", method), .after_gid = std::move(after_gid)};
  request.before_gid = {'\x0a', static_cast<char>(kGidBytes)};
  return request;
}

std::string StepsJson(const std::vector<Step>& steps) {
  std::string json = "[";
  for (const Step& step : steps) {
    if (json.size() > 1) json += ',';
    CatTo(json, R"({"action":")", step.action, '"');
    if (!step.compensate.empty()) CatTo(json, R"(,"compensate":")", step.compensate, '"');
    json += '}';
  }
  return json + "]";
}

Request GrpcTransRequest(std::string_view method, const Trans& trans) {
  std::string fields;
  AppendField(fields, 2, trans.type);
  if (trans.wait_result) AppendField(fields, 3, std::string_view("\x08\x01", 2));
  if (!trans.custom_data.empty()) AppendField(fields, 4, trans.custom_data);
  for (size_t i = 0; i < trans.steps.size(); ++i) AppendField(fields, 5, kGrpcPayload);
  if (!trans.steps.empty()) AppendField(fields, 7, StepsJson(trans.steps));
  return GrpcRequest(method, std::move(fields));
}

// --- JSON ----------------------------------------------------------------------------------------

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Request HttpRequest(std::string_view operation, std::string after_gid) {
  return {.path = Cat("/api/dtmsvr/", operation),
          .before_gid = R"({"gid":")",
          .after_gid = std::move(after_gid)};
}

Request HttpTransRequest(std::string_view operation, const Trans& trans) {
  std::string rest = Cat(R"(","trans_type":")", trans.type, '"');
  if (trans.wait_result) rest += R"(,"wait_result":true)";
  if (!trans.custom_data.empty()) {
    CatTo(rest, R"(,"custom_data":")", Escaped(trans.custom_data), '"');
  }
  if (!trans.steps.empty()) {
    const std::string payload = Cat('"', Escaped(kHttpPayload), '"');
    const std::vector<std::string> payloads(trans.steps.size(), payload);
    CatTo(rest, R"(,"steps":)", StepsJson(trans.steps));
    CatTo(rest, R"(,"payloads":[)", JoinText(payloads, ","), "]");
  }
  return HttpRequest(operation, rest + "}");
}

}  // namespace

Request SubmitRequest(Wire wire, const Trans& trans) {
  return wire == Wire::kGrpc ? GrpcTransRequest("Submit", trans)
                             : HttpTransRequest("submit", trans);
}

Request PrepareRequest(Wire wire, const Trans& trans) {
  return wire == Wire::kGrpc ? GrpcTransRequest("Prepare", trans)
                             : HttpTransRequest("prepare", trans);
}

Request RegisterTccRequest(Wire wire, const TccBranch& branch) {
  if (wire == Wire::kHttp) {
    return HttpRequest("registerBranch",
                       Cat(R"(","trans_type":"tcc","branch_id":")",
                           branch.id,
                           R"(","confirm":")",
                           branch.confirm,
                           R"(","cancel":")",
                           branch.cancel,
                           R"(","data":")",
                           Escaped(kHttpPayload),
                           R"("})"));
  }
  std::string fields;
  AppendField(fields, 2, "tcc");
  AppendField(fields, 3, branch.id);
  AppendMapEntry(fields, 5, "confirm", branch.confirm);
  AppendMapEntry(fields, 5, "cancel", branch.cancel);
  AppendField(fields, 6, kGrpcPayload);
  return GrpcRequest("RegisterBranch", std::move(fields));
}

}  // namespace troth::bench
