#pragma once
// GET /api/ready: whether this server should get requests now. /api/ping only says that the process
// lives.

#include <atomic>
#include <vector>

#include "api/api_context.h"
#include "api/http_router.h"

namespace troth {

// What does not answer within this time is not ready: probes give up soon after.
inline constexpr Duration kReadyTimeout = Seconds(1);

// 200 {"ready":true}, or 503 {"ready":false,"reason":...} with Retry-After when it drains, when the
// store cannot save, or when a loop or the store does not answer in time. All passed in outlives
// the router.
void RegisterReadyApi(ApiContext& context,
                      std::vector<net::Loop*> loops,
                      const std::atomic<bool>& draining,
                      HttpRouter& router);

}  // namespace troth
