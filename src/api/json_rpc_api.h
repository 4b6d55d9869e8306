#pragma once
// JSON-RPC 2.0 on POST /api/json-rpc (protocol/server.md section 3), with batches and notifications
// of the standard.

#include "api/api_context.h"
#include "api/http_router.h"

namespace troth {

void RegisterJsonRpcApi(ApiContext& context, HttpRouter& router);

}  // namespace troth
