#pragma once
// The HTTP client's connections, by route: idle ones are used again, the number of open ones is
// bounded, requests beyond it wait in order. For the loop's thread.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/http1_client_connection_internal.h"

namespace troth::net {

class HttpConnectionPool {
 public:
  struct Lease {
    std::shared_ptr<HttpClientConnection> connection;
    bool used_before = false;
  };
  using Ready = std::function<void(StatusOr<Lease>)>;

  HttpConnectionPool(Loop& loop, const HttpClientOptions& options);
  ~HttpConnectionPool();
  HttpConnectionPool(const HttpConnectionPool&) = delete;

  // `ready` runs once, possibly inside this call, unless Forget comes first. `id` is the caller's,
  // unique. With `fresh` no idle connection is taken. Error: ResourceExhausted when too many wait;
  // why no connection could be opened.
  void Acquire(uint64_t id, const HttpRoute& route, bool fresh, Ready ready);
  // The request `id` waits no more; a connection being opened for it is dropped.
  void Forget(uint64_t id);
  // Gives a leased connection back, usable or not.
  void Release(const std::shared_ptr<HttpClientConnection>& connection);

  // Whether `id` waits for its turn, rather than for a connection being opened.
  bool IsQueued(uint64_t id) const { return queued_on_.contains(id); }

 private:
  struct Waiter {
    uint64_t id;
    Ready ready;
  };
  struct Host {
    HttpRoute route;
    std::vector<std::shared_ptr<HttpClientConnection>> idle;  // the last used one last
    std::deque<Waiter> waiting;
    size_t open = 0;  // being opened, leased or idle
  };

  std::shared_ptr<HttpClientConnection> TakeIdle(Host& host);
  void StartOpening(Host& host, Waiter waiter);
  void OnOpened(uint64_t id, const Status& status);
  void PutIdle(Host& host, const std::shared_ptr<HttpClientConnection>& connection);
  // One open connection of the host less: the first who waits may open another.
  void OnClosed(const std::string& key);
  void CloseOneIdle(Host& host);
  // Makes the context for https on its first use.
  Status PrepareTls(const HttpRoute& route);

  struct Opening {
    Ready ready;
    std::shared_ptr<HttpClientConnection> connection;
  };

  Loop& loop_;
  const HttpClientOptions options_;
  std::shared_ptr<TlsContext> tls_;
  std::unordered_map<std::string, Host> hosts_;          // by route key; gone when nothing is open
  std::unordered_map<uint64_t, Opening> opening_;        // by request
  std::unordered_map<uint64_t, std::string> queued_on_;  // request -> route key
};

}  // namespace troth::net
