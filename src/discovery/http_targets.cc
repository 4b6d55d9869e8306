#include "discovery/http_targets.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"
#include "discovery/address.h"
#include "discovery/http_endpoint_pool.h"

namespace troth {

struct HttpTargets::Impl {
  struct Entry {
    std::shared_ptr<HttpEndpointPool> pool;
    std::unique_ptr<Subscription> subscription;
  };

  net::Loop& loop;
  Directory& directory;
  net::HttpClient& client;
  const HttpTargetsOptions options;
  absl::flat_hash_map<std::string, Entry> entries;  // by target

  StatusOr<HttpEndpointPool*> Open(const std::string& target);
  void Refresh(const std::string& target);
  void EvictIdle();
};

StatusOr<HttpEndpointPool*> HttpTargets::Impl::Open(const std::string& target) {
  if (const auto found = entries.find(target); found != entries.end()) {
    return found->second.pool.get();
  }
  if (entries.size() >= options.targets_max) EvictIdle();
  if (entries.size() >= options.targets_max) {
    return Unavailable(
        Cat("requests to ", options.targets_max, " targets are open; no room for more"));
  }
  auto pool = std::make_shared<HttpEndpointPool>(
      loop, client, target, options, [this, target] { Refresh(target); });
  TROTH_ASSIGN_OR_RETURN(auto subscription,
                         directory.Subscribe(
                             target,
                             "http",
                             loop,
                             [raw = pool.get()](const EndpointList& list) { raw->OnList(list); },
                             options.secure_instances));
  Entry& entry = entries[target];
  entry = {.pool = std::move(pool), .subscription = std::move(subscription)};
  return entry.pool.get();
}

void HttpTargets::Impl::Refresh(const std::string& target) {
  const auto found = entries.find(target);
  if (found != entries.end()) found->second.subscription->Refresh();
}

void HttpTargets::Impl::EvictIdle() {
  absl::erase_if(entries, [](const auto& entry) { return entry.second.pool->idle(); });
}

HttpTargets::HttpTargets(net::Loop& loop,
                         Directory& directory,
                         net::HttpClient& client,
                         HttpTargetsOptions options)
    : impl_(new Impl{.loop = loop,
                     .directory = directory,
                     .client = client,
                     .options = options,
                     .entries = {}}) {}

HttpTargets::~HttpTargets() {
  for (auto& [target, entry] : impl_->entries) entry.pool->Shutdown();
}

void HttpTargets::Send(const net::HttpClientRequest& request, net::HttpDone done) {
  if (request.url.starts_with("http://") || request.url.starts_with("https://")) {
    impl_->client.Send(request, std::move(done));
    return;
  }
  StatusOr<HttpAddress> address = ParseHttpServiceUrl(request.url);
  StatusOr<HttpEndpointPool*> pool =
      address.ok() ? impl_->Open(address->target) : StatusOr<HttpEndpointPool*>(address.status());
  if (pool.ok()) return (*pool)->Send(request, std::move(address->path), std::move(done));
  impl_->loop.Post([done = std::move(done), why = pool.status()] { done(why); });
}

}  // namespace troth
