#pragma once
// /api/v1: our own additions for people and programs, beside dtm's API (docs/api.md).

#include "api/api_context.h"
#include "api/http_router.h"

namespace troth {

// Clients that wait for an end at once; further ones get 429.
inline constexpr int kWaitersMax = 1024;

// `context` outlives the router.
void RegisterHttpV1Api(ApiContext& context, HttpRouter& router);

}  // namespace troth
