#include "api/http_metrics_api.h"

#include <utility>

namespace troth {

void RegisterMetricsApi(std::vector<MetricsSource> sources, HttpRouter& router) {
  router.Add("GET",
             "/api/metrics",
             [sources = std::move(sources)](const std::shared_ptr<net::HttpCall>& call,
                                            const std::string&) {
               MetricsText text;
               for (const MetricsSource& append : sources) append(text);
               net::HttpResponse response;
               response.content_type = kMetricsContentType;
               response.body = text.Take();
               call->Respond(std::move(response));
             });
}

}  // namespace troth
