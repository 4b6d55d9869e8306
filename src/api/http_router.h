#pragma once
// Which handler serves a request: exact paths, and paths with one last segment as a parameter. As
// in dtm an unknown path or a wrong method is 404, and a trailing slash is redirected
// (protocol/server.md 2.1).

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/http1_server.h"

namespace troth {

// `segment` is the decoded last segment of a route that ends in "/*", else empty.
using HttpHandler =
    std::function<void(std::shared_ptr<net::HttpCall> call, const std::string& segment)>;

class HttpRouter {
 public:
  // `method` "*" serves every method. A path may end in "/*": one more segment.
  void Add(std::string_view method, std::string_view path, HttpHandler handler);
  void Serve(std::shared_ptr<net::HttpCall> call) const;

 private:
  struct Found {
    const HttpHandler* handler = nullptr;
    std::string segment;
  };
  Found Find(std::string_view method, std::string_view path) const;

  std::map<std::string, HttpHandler, std::less<>> routes_;  // "GET /api/ping"
};

}  // namespace troth
