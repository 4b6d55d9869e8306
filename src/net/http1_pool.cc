#include "net/http1_pool_internal.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace troth::net {

HttpConnectionPool::HttpConnectionPool(Loop& loop, const HttpClientOptions& options)
    : loop_(loop), options_(options), tls_(options.tls) {}

HttpConnectionPool::~HttpConnectionPool() {
  for (auto& [id, opening] : opening_) opening.connection->Close();
  for (auto& [key, host] : hosts_) {
    for (const auto& connection : host.idle) connection->Close();
  }
}

void HttpConnectionPool::Acquire(uint64_t id, const HttpRoute& route, bool fresh, Ready ready) {
  if (Status tls = PrepareTls(route); !tls.ok()) return ready(tls);
  const std::string key = route.Key();
  Host& host = hosts_.try_emplace(key, Host{route, {}, {}, 0}).first->second;
  if (fresh && host.open == options_.connections_per_host_max) CloseOneIdle(host);
  if (!fresh) {
    if (auto connection = TakeIdle(host))
      return ready(Lease{std::move(connection), /*used_before=*/true});
  }
  if (host.open < options_.connections_per_host_max)
    return StartOpening(host, {id, std::move(ready)});
  if (host.waiting.size() >= options_.waiting_per_host_max) {
    return ready(ResourceExhausted(Cat(host.waiting.size(),
                                       " requests wait already for one of ",
                                       host.open,
                                       " connections to ",
                                       route.Name())));
  }
  host.waiting.push_back({id, std::move(ready)});
  queued_on_.emplace(id, key);
}

std::shared_ptr<HttpClientConnection> HttpConnectionPool::TakeIdle(Host& host) {
  while (!host.idle.empty()) {
    auto connection = std::move(host.idle.back());
    host.idle.pop_back();
    if (connection->LooksAlive()) return connection;
    connection->Close();
    --host.open;
  }
  return nullptr;
}

void HttpConnectionPool::CloseOneIdle(Host& host) {
  if (host.idle.empty()) return;
  host.idle.front()->Close();
  host.idle.erase(host.idle.begin());
  --host.open;
}

Status HttpConnectionPool::PrepareTls(const HttpRoute& route) {
  if (route.tls_name.empty() || tls_ != nullptr) return OkStatus();
  TROTH_ASSIGN_OR_RETURN(tls_, TlsContext::MakeClient(TlsOptions()));
  return OkStatus();
}

void HttpConnectionPool::StartOpening(Host& host, Waiter waiter) {
  ++host.open;
  const HttpAnswerLimits limits{options_.header_bytes_max, options_.body_bytes_max};
  auto connection = std::make_shared<HttpClientConnection>(loop_, host.route, limits, tls_);
  opening_.emplace(waiter.id, Opening{std::move(waiter.ready), connection});
  connection->Open([this, id = waiter.id](const Status& status) { OnOpened(id, status); });
}

void HttpConnectionPool::OnOpened(uint64_t id, const Status& status) {
  auto node = opening_.extract(id);
  Opening& opening = node.mapped();
  if (status.ok())
    return opening.ready(Lease{std::move(opening.connection), /*used_before=*/false});
  OnClosed(opening.connection->route().Key());
  opening.ready(status);
}

void HttpConnectionPool::Forget(uint64_t id) {
  if (auto node = opening_.extract(id)) {
    node.mapped().connection->Close();
    return OnClosed(node.mapped().connection->route().Key());
  }
  const auto node = queued_on_.extract(id);
  if (!node) return;
  std::deque<Waiter>& waiting = hosts_.at(node.mapped()).waiting;
  std::erase_if(waiting, [id](const Waiter& waiter) { return waiter.id == id; });
}

void HttpConnectionPool::Release(const std::shared_ptr<HttpClientConnection>& connection) {
  const std::string key = connection->route().Key();
  if (!connection->reusable()) {
    connection->Close();
    return OnClosed(key);
  }
  Host& host = hosts_.at(key);
  if (host.waiting.empty()) return PutIdle(host, connection);
  const Waiter next = std::move(host.waiting.front());
  host.waiting.pop_front();
  queued_on_.erase(next.id);
  next.ready(Lease{connection, /*used_before=*/true});
}

void HttpConnectionPool::PutIdle(Host& host,
                                 const std::shared_ptr<HttpClientConnection>& connection) {
  const std::string key = host.route.Key();
  if (host.idle.size() >= options_.idle_per_host_max) {
    connection->Close();
    return OnClosed(key);
  }
  host.idle.push_back(connection);
  connection->WaitIdle(options_.idle_timeout, [this, key, ended = connection.get()] {
    auto& idle = hosts_.at(key).idle;
    const auto found = std::find_if(
        idle.begin(), idle.end(), [ended](const auto& one) { return one.get() == ended; });
    const auto kept_until_closed = std::move(*found);
    idle.erase(found);
    kept_until_closed->Close();
    OnClosed(key);
  });
}

void HttpConnectionPool::OnClosed(const std::string& key) {
  const auto at = hosts_.find(key);
  Host& host = at->second;
  --host.open;
  if (!host.waiting.empty()) {
    Waiter next = std::move(host.waiting.front());
    host.waiting.pop_front();
    queued_on_.erase(next.id);
    return StartOpening(host, std::move(next));
  }
  if (host.open == 0) hosts_.erase(at);
}

}  // namespace troth::net
