#pragma once
// The envelope of JSON-RPC 2.0: what a body asks for, and the replies.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace troth {

// Codes of the standard, and dtm's for a business failure.
enum class JsonRpcCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInternalError = -32603,
  kTryAgain = -32000,  // nothing was done: too much at once, or the server stops
  kFailure = -32901,
};

struct JsonRpcRequest {
  // The id as JSON text, echoed as it came: "\"1\"" or "1". Nothing: a notification, which gets no
  // reply.
  std::optional<std::string> id;
  std::string method;
  std::string params;  // JSON text; "{}" when there were none
  // Why it is no request, and its text; a valid one has none.
  std::optional<std::string> invalid;
};

struct JsonRpcBody {
  bool batch = false;
  std::vector<JsonRpcRequest> requests;  // at least one
};

// InvalidArgument when the body is no JSON or no request at all, or has more than
// limits::kJsonRpcBatchMax.
StatusOr<JsonRpcBody> ParseJsonRpc(std::string_view body);

// {"error":null,"id":...,"jsonrpc":"2.0","result":...}
std::string JsonRpcResult(std::string_view id, std::string_view result_json);
std::string JsonRpcError(std::string_view id, JsonRpcCode code, std::string_view message);

}  // namespace troth
