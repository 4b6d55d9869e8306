#pragma once
// dtm's HTTP API: routes, shapes and status codes of protocol/server.md section 2.

#include "api/api_context.h"
#include "api/http_router.h"

namespace troth {

// Adds /api/ping and everything below /api/dtmsvr. `context` outlives the router.
void RegisterHttpApi(ApiContext& context, HttpRouter& router);

}  // namespace troth
