#pragma once
// GET /api/v1/transactions/{gid}/wait, a long poll for the end, and .../events, each change of the
// status as a server-sent event (docs/api.md).

#include <atomic>

#include "api/api_context.h"
#include "api/http_router.h"
#include "api/watchers.h"

namespace troth {

// While `draining` is set nobody waits longer. All passed in outlives the router.
void RegisterHttpWatchApi(ApiContext& context,
                          Watchers& watchers,
                          const std::atomic<bool>& draining,
                          HttpRouter& router);

}  // namespace troth
