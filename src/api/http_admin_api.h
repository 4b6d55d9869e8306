#pragma once
// What people and the admin page ask: query, all, resetCronTime, topics, KV
// (protocol/server.md 2.7-2.9, 7).

#include "api/api_context.h"
#include "api/http_router.h"

namespace troth {

void RegisterHttpAdminApi(ApiContext& context, HttpRouter& router);

}  // namespace troth
