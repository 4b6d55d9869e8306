#include "api/http_router.h"

#include <utility>

#include "base/text.h"

namespace troth {
namespace {

constexpr std::string_view kPingPath = "/api/ping";

void RespondText(net::HttpCall& call, int status, std::string text) {
  net::HttpResponse response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(text);
  call.Respond(std::move(response));
}

void Redirect(net::HttpCall& call, std::string_view path) {
  const net::HttpRequest& request = call.request();
  net::HttpResponse response;
  response.status = request.method == "GET" ? 301 : 307;
  response.headers.emplace_back(
      "Location", request.query.empty() ? std::string(path) : Cat(path, "?", request.query));
  call.Respond(std::move(response));
}

}  // namespace

HttpRouter::HttpRouter(ApiMetrics* metrics) : metrics_(metrics) {
  if (metrics_ != nullptr) unknown_tag_ = metrics_->AddRoute("http", "other");
}

void HttpRouter::Add(std::string_view method, std::string_view path, HttpHandler handler) {
  Route route{.handler = std::move(handler), .tag = std::nullopt};
  const bool counts = metrics_ != nullptr && path != kPingPath;
  if (counts) route.tag = metrics_->AddRoute("http", RouteLabel(path));
  routes_[Cat(method, " ", path)] = std::move(route);
}

HttpRouter::Found HttpRouter::Find(std::string_view method, std::string_view path) const {
  for (std::string_view wanted : {method, std::string_view("*")}) {
    if (const auto at = routes_.find(Cat(wanted, " ", path)); at != routes_.end()) {
      return {&at->second, {}};
    }
  }
  const size_t last = path.rfind('/');
  if (last == path.npos || last == 0) return {};
  const Found found = FindWith(method, path.substr(0, last), path.substr(last + 1), "");
  if (found.route != nullptr) return found;
  const size_t before = path.rfind('/', last - 1);
  if (before == path.npos) return {};
  const std::string_view segment = path.substr(before + 1, last - before - 1);
  return FindWith(method, path.substr(0, before), segment, path.substr(last));
}

HttpRouter::Found HttpRouter::FindWith(std::string_view method,
                                       std::string_view head,
                                       std::string_view segment,
                                       std::string_view tail) const {
  if (segment.empty()) return {};
  const auto at = routes_.find(Cat(method, " ", head, "/*", tail));
  if (at == routes_.end()) return {};
  const std::optional<std::string> decoded = PercentDecode(segment);
  return decoded ? Found{&at->second, *decoded} : Found{};
}

std::vector<std::string> HttpRouter::Routes() const {
  std::vector<std::string> out;
  for (const auto& [route, handler] : routes_) out.push_back(route);
  return out;
}

void HttpRouter::Serve(std::shared_ptr<net::HttpCall> call) const {
  const net::HttpRequest& request = call->request();
  const std::string_view path = request.path;
  if (const Found found = Find(request.method, path); found.route != nullptr) {
    if (found.route->tag) call->Watch(*metrics_, *found.route->tag);
    return found.route->handler(std::move(call), found.segment);
  }
  if (metrics_ != nullptr) call->Watch(*metrics_, unknown_tag_);
  if (path.size() > 1 && path.ends_with('/')) {
    const std::string_view without = path.substr(0, path.size() - 1);
    if (Find(request.method, without).route != nullptr) return Redirect(*call, without);
  }
  RespondText(*call, 404, "404 page not found");
}

}  // namespace troth
