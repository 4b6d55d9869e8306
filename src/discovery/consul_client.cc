#include "discovery/consul_client.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/text.h"
#include "discovery/consul_service.h"

namespace troth {
namespace {

// A service of a few thousand instances comes in one answer.
constexpr uint32_t kAnswerBytesMax = 64 << 20;
// Consul adds up to a sixteenth to the time it waits, so that its clients do not return together.
constexpr int kWaitJitterShare = 16;
// Of a refusal, so that a page of HTML does not fill the log.
constexpr size_t kErrorTextMax = 300;

// For one path segment: a service's name may hold anything.
std::string PathEscape(std::string_view segment) {
  std::string out;
  for (char c : QueryEscape(segment)) c == '+' ? out += "%20" : out += c;
  return out;
}

net::HttpClientOptions HttpOptions(const ConsulOptions& options) {
  net::HttpClientOptions http;
  http.tls = options.tls;
  http.body_bytes_max = kAnswerBytesMax;
  return http;
}

std::string ScopeOf(const ConsulOptions& options) {
  std::string scope;
  if (!options.name_space.empty()) CatTo(scope, "&ns=", QueryEscape(options.name_space));
  if (!options.partition.empty()) CatTo(scope, "&partition=", QueryEscape(options.partition));
  return scope;
}

StatusCode CodeOf(int http_status) {
  if (http_status == 404) return StatusCode::kNotFound;
  if (http_status == 401 || http_status == 403) return StatusCode::kPermissionDenied;
  return http_status >= 500 ? StatusCode::kUnavailable : StatusCode::kInvalidArgument;
}

uint64_t IndexOf(const net::HttpHeaders& headers) {
  const auto text = net::FindHeader(headers, "X-Consul-Index");
  const std::optional<int64_t> index = text ? ParseInt(*text) : std::nullopt;
  return index && *index > 0 ? static_cast<uint64_t>(*index) : 0;
}

}  // namespace

ConsulClient::ConsulClient(net::Loop& loop, ConsulOptions options)
    : options_(std::move(options)),
      base_(Cat(options_.tls == nullptr ? "http://" : "https://", options_.host)),
      scope_(ScopeOf(options_)),
      http_(loop, HttpOptions(options_)) {
  if (options_.user.empty()) return;
  authorization_ = Cat("Basic ", Base64Encode(Cat(options_.user, ":", options_.password)));
}

std::string ConsulClient::Describe() const {
  const std::string text = Cat("consul at ", options_.host);
  return trouble_.empty() ? text : Cat(text, " (", trouble_, ")");
}

uint64_t ConsulClient::Send(std::string_view method,
                            std::string_view path,
                            std::string_view query,
                            std::string_view body,
                            Duration timeout,
                            std::function<void(Answer)> done) {
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  if (!options_.token.empty()) headers.emplace_back("X-Consul-Token", options_.token);
  if (!authorization_.empty()) headers.emplace_back("Authorization", authorization_);
  if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
  std::string parameters = Cat(query, scope_);
  if (!parameters.empty() && parameters.front() == '&') parameters.erase(0, 1);
  const std::string url = Cat(base_, path, parameters.empty() ? "" : "?", parameters);
  return http_.Send(
      {.method = method,
       .url = url,
       .headers = headers,
       .body = body,
       .timeout = timeout,
       .connect_to = {}},
      lifeline_.Guard([this, path = std::string(path), done = std::move(done)](Answer answer) {
        if (answer.status().code() == StatusCode::kCancelled) return;
        done(Checked(path, std::move(answer)));
      }));
}

// What is not a success becomes an error that says who said what.
ConsulClient::Answer ConsulClient::Checked(std::string_view path, Answer answer) {
  Status failed;
  if (!answer.ok()) {
    failed =
        MakeStatus(answer.status().code(),
                   Cat("consul at ", options_.host, ", ", path, ": ", Message(answer.status())));
  } else if (answer->status != 200) {
    const std::string_view text =
        TrimSpace(std::string_view(answer->body).substr(0, kErrorTextMax));
    failed = MakeStatus(
        CodeOf(answer->status),
        Cat("consul at ", options_.host, ", ", path, ": ", answer->status, " ", ToValidUtf8(text)));
  }
  trouble_ = std::string(Message(failed));
  if (!failed.ok()) return failed;
  return answer;
}

void ConsulClient::Change(std::string_view path, std::string_view body, StatusFn done) {
  Send(
      "PUT", path, "", body, options_.call_timeout, [done = std::move(done)](const Answer& answer) {
        done(answer.status());
      });
}

void ConsulClient::Register(std::string_view body, StatusFn done) {
  Change("/v1/agent/service/register", body, std::move(done));
}

void ConsulClient::Pass(std::string_view check, StatusFn done) {
  Change(Cat("/v1/agent/check/update/", PathEscape(check)),
         R"({"Status":"passing","Output":"pass"})",
         std::move(done));
}

void ConsulClient::Deregister(std::string_view id, StatusFn done) {
  Change(Cat("/v1/agent/service/deregister/", PathEscape(id)),
         "",
         [done = std::move(done)](const Status& status) {
           done(status.code() == StatusCode::kNotFound ? OkStatus() : status);
         });
}

uint64_t ConsulClient::Health(std::string_view name, uint64_t index, Duration wait, HealthFn done) {
  const auto wait_ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  std::string query = Cat("passing=1&wait=", wait_ms, "ms");
  if (index != 0) CatTo(query, "&index=", index);
  return Send(
      "GET",
      Cat("/v1/health/service/", PathEscape(name)),
      query,
      "",
      options_.call_timeout + (index == 0 ? Duration::zero() : wait + wait / kWaitJitterShare),
      [done = std::move(done)](const Answer& answer) {
        if (!answer.ok()) return done(answer.status());
        StatusOr<std::vector<ServiceInstance>> instances = DecodeConsulHealth(answer->body);
        if (!instances.ok()) return done(instances.status());
        done(ConsulHealth{IndexOf(answer->headers), *std::move(instances)});
      });
}

}  // namespace troth
