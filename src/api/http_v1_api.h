#pragma once
// /api/v1: our own additions for people and programs, beside dtm's API (docs/api.md): search, look,
// retry, stop.

#include "api/api_context.h"
#include "api/http_router.h"

namespace troth {

// `context` outlives the router.
void RegisterHttpV1Api(ApiContext& context, HttpRouter& router);

}  // namespace troth
