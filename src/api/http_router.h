#pragma once
// Which handler serves a request: exact paths, and paths whose last segment, or the one before it,
// is a parameter. As in dtm an unknown path or a wrong method is 404, and a trailing slash is
// redirected (protocol/server.md 2.1).

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_metrics.h"
#include "net/http1_server.h"

namespace troth {

// `segment` is the decoded segment in the place of the route's "*", else empty.
using HttpHandler =
    std::function<void(std::shared_ptr<net::HttpCall> call, const std::string& segment)>;

class HttpRouter {
 public:
  // With metrics every request is counted but those to /api/ping. `metrics` outlives the router.
  explicit HttpRouter(ApiMetrics* metrics = nullptr);

  // `method` "*" serves every method. A path may end in "/*" or in "/*/name".
  void Add(std::string_view method, std::string_view path, HttpHandler handler);
  void Serve(std::shared_ptr<net::HttpCall> call) const;

  // "GET /api/ping", "DELETE /api/topic/*", in order.
  std::vector<std::string> Routes() const;

 private:
  struct Route {
    HttpHandler handler;
    std::optional<uint32_t> tag;  // counted under it
  };
  struct Found {
    const Route* route = nullptr;
    std::string segment;
  };
  Found Find(std::string_view method, std::string_view path) const;
  // The route head + "/*" + tail.
  Found FindWith(std::string_view method,
                 std::string_view head,
                 std::string_view segment,
                 std::string_view tail) const;

  ApiMetrics* const metrics_;
  uint32_t unknown_tag_ = 0;
  std::map<std::string, Route, std::less<>> routes_;  // "GET /api/ping"
};

}  // namespace troth
