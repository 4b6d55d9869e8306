#include "discovery/endpoint_choice.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "discovery/url.h"
#include "net/host_port.h"

namespace troth {
namespace {

constexpr int64_t kDefaultWeight = 100;  // Kratos's
// What is out of these bounds is taken as the bound: sums of weights must not overflow, and whoever
// is registered gets calls.
constexpr int64_t kWeightMin = 1;
constexpr int64_t kWeightMax = 1'000'000;

int64_t WeightOf(const ServiceInstance& instance) {
  for (const auto& [key, value] : instance.metadata) {
    if (key != "weight") continue;
    return std::clamp(ParseInt(value).value_or(kDefaultWeight), kWeightMin, kWeightMax);
  }
  return kDefaultWeight;
}

// Nothing when it is of another scheme or cannot be dialled. Services up to Kratos 2.3.0 say
// "grpc://...?isSecure=true", later ones "grpcs://...".
std::optional<Endpoint> ReadEndpoint(std::string_view text, std::string_view scheme) {
  const StatusOr<Url> url = ParseUrl(text);
  if (!url.ok()) return std::nullopt;
  const bool secure_scheme = url->scheme == Cat(scheme, "s");
  if (url->scheme != scheme && !secure_scheme) return std::nullopt;
  const auto address = net::ParseHostPort(url->host);
  if (!address.ok() || address->host.empty() || address->port == 0) return std::nullopt;
  return Endpoint{.address = url->host,
                  .secure = secure_scheme || QueryValue(*url, "isSecure") == "true"};
}

std::optional<Endpoint> Choose(const ServiceInstance& instance,
                               std::string_view scheme,
                               bool secure_ok) {
  std::optional<Endpoint> plain;
  for (const std::string& text : instance.endpoints) {
    std::optional<Endpoint> endpoint = ReadEndpoint(text, scheme);
    if (!endpoint) continue;
    if (endpoint->secure && secure_ok) return endpoint;
    if (!endpoint->secure && !plain) plain = std::move(endpoint);
  }
  return plain;
}

}  // namespace

std::vector<Endpoint> ChooseEndpoints(const std::vector<ServiceInstance>& instances,
                                      std::string_view scheme,
                                      bool secure_ok) {
  std::vector<Endpoint> chosen;
  absl::flat_hash_set<std::string> seen;
  for (const ServiceInstance& instance : instances) {
    std::optional<Endpoint> endpoint = Choose(instance, scheme, secure_ok);
    if (!endpoint || !seen.insert(endpoint->address).second) continue;
    endpoint->weight = WeightOf(instance);
    chosen.push_back(*std::move(endpoint));
  }
  return chosen;
}

}  // namespace troth
