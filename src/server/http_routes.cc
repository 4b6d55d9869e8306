#include "server/http_routes.h"

#include <utility>

#include "api/http_api.h"
#include "api/http_openapi_api.h"
#include "api/http_ready_api.h"
#include "api/http_v1_api.h"
#include "api/http_watch_api.h"
#include "api/json_rpc_api.h"
#include "server/discover.h"

namespace troth {

void RegisterHttpRoutes(ApiContext& context, HttpSurroundings around, HttpRouter& router) {
  RegisterHttpApi(context, router);
  RegisterJsonRpcApi(context, router);
  RegisterHttpV1Api(context, router);
  RegisterHttpWatchApi(context, around.watchers, around.draining, router);
  RegisterOpenApi(router);
  RegisterMetricsApi(std::move(around.metrics), router);
  RegisterDiscoverApi(around.directory, router);
  RegisterReadyApi(context, std::move(around.loops), around.draining, router);
}

}  // namespace troth
