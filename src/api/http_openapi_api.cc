#include "api/http_openapi_api.h"

#include <memory>
#include <string>
#include <utility>

namespace troth {

void RegisterOpenApi(HttpRouter& router) {
  router.Add("GET",
             "/api/v1/openapi.json",
             [](const std::shared_ptr<net::HttpCall>& call, const std::string&) {
               net::HttpResponse response;
               response.body = OpenApiJson();
               call->Respond(std::move(response));
             });
}

}  // namespace troth
