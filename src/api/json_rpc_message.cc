#include "api/json_rpc_message.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "wire/json_writer.h"

namespace troth {
namespace {

namespace json = boost::json;

// dtm takes an id only as a string; numbers are a safe extension, other types are not ids.
std::optional<std::string> ReadId(const json::object& object) {
  const json::value* id = object.if_contains("id");
  if (id == nullptr) return std::nullopt;
  if (id->is_string() || id->is_int64() || id->is_uint64()) return json::serialize(*id);
  return "null";
}

bool IsVersion2(const json::object& object) {
  const json::value* version = object.if_contains("jsonrpc");
  return version != nullptr && version->is_string() && version->get_string() == "2.0";
}

JsonRpcRequest ReadRequest(const json::value& value) {
  JsonRpcRequest request;
  const std::string text = json::serialize(value);
  if (!value.is_object()) {
    request.id = "null";
    request.invalid = Cat("Bad json request: ", text);
    return request;
  }
  const json::object& object = value.get_object();
  request.id = ReadId(object);
  const json::value* method = object.if_contains("method");
  const bool valid = IsVersion2(object) && method != nullptr && method->is_string() &&
                     request.id != "null" && request.id != "\"\"";
  if (!valid) {
    if (!request.id) request.id = "null";
    request.invalid = Cat("Bad json request: ", text);
    return request;
  }
  request.method = std::string(method->get_string().data(), method->get_string().size());
  const json::value* params = object.if_contains("params");
  request.params = params == nullptr || params->is_null() ? "{}" : json::serialize(*params);
  return request;
}

}  // namespace

StatusOr<JsonRpcBody> ParseJsonRpc(std::string_view body) {
  boost::system::error_code failed;
  const json::value value = json::parse({body.data(), body.size()}, failed);
  if (failed) return InvalidArgument(Cat("Parse json error: ", failed.message()));
  JsonRpcBody out;
  out.batch = value.is_array();
  if (!out.batch) {
    if (!value.is_object()) return InvalidArgument("Parse json error: the body is no object");
    out.requests.push_back(ReadRequest(value));
    return out;
  }
  const json::array& elements = value.get_array();
  if (elements.empty() || elements.size() > limits::kJsonRpcBatchMax) {
    return InvalidArgument(Cat("Parse json error: a batch has 1 to ",
                               limits::kJsonRpcBatchMax,
                               " requests, this one has ",
                               elements.size()));
  }
  for (const json::value& element : elements) out.requests.push_back(ReadRequest(element));
  return out;
}

std::string JsonRpcResult(std::string_view id, std::string_view result_json) {
  JsonWriter json;
  json.BeginObject().Key("error").Null().Key("id").Raw(id).Field("jsonrpc", "2.0");
  return json.Key("result").Raw(result_json).EndObject().Take();
}

std::string JsonRpcError(std::string_view id, JsonRpcCode code, std::string_view message) {
  JsonWriter json;
  json.BeginObject().Key("error").BeginObject().Field("code", static_cast<int64_t>(code));
  json.Field("message", message).EndObject().Key("id").Raw(id).Field("jsonrpc", "2.0");
  return json.Key("result").Null().EndObject().Take();
}

}  // namespace troth
