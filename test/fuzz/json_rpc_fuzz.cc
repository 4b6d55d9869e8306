// The envelope of JSON-RPC: whatever comes in, what goes out is JSON.

#include "api/json_rpc_message.h"
#include "base/check.h"
#include "base/limits.h"
#include "targets.h"
#include "wire/json_reader.h"

namespace troth::fuzz {

void FuzzJsonRpc(std::string_view bytes) {
  const StatusOr<JsonRpcBody> body = ParseJsonRpc(bytes);
  if (!body.ok()) return;
  TROTH_CHECK(!body->requests.empty() && body->requests.size() <= limits::kJsonRpcBatchMax);
  for (const JsonRpcRequest& request : body->requests) {
    const std::string id = request.id.value_or("null");
    TROTH_CHECK(JsonObject::Parse(JsonRpcResult(id, "{}")).ok());
    TROTH_CHECK(JsonObject::Parse(JsonRpcError(id, JsonRpcCode::kFailure, request.method)).ok());
    static_cast<void>(JsonObject::Parse(request.params));
  }
}

}  // namespace troth::fuzz
