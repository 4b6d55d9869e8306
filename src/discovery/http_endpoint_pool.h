#pragma once
// One service's HTTP endpoints on one loop. For that loop's thread.

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "discovery/balancer.h"
#include "discovery/directory.h"
#include "discovery/http_targets.h"
#include "net/http1_client.h"
#include "net/loop.h"

namespace troth {

class HttpEndpointPool : public std::enable_shared_from_this<HttpEndpointPool> {
 public:
  // `on_trouble` is called when an endpoint cannot be reached: the target may have moved.
  HttpEndpointPool(net::Loop& loop,
                   net::HttpClient& client,
                   std::string target,
                   const HttpTargetsOptions& options,
                   std::function<void()> on_trouble);
  HttpEndpointPool(const HttpEndpointPool&) = delete;

  void OnList(const EndpointList& list);
  // `path` with its query; the request's own URL is not looked at.
  void Send(const net::HttpClientRequest& request, std::string path, net::HttpDone done);
  // Ends what waits with Cancelled, inside this call. Nothing may follow it.
  void Shutdown();
  bool idle() const { return waiting_.empty() && open_ == 0; }

 private:
  struct Slot {
    Endpoint endpoint;
    BalanceState balance = {};
    size_t calls = 0;
    size_t calls_in_flight() const { return calls; }
  };
  using SlotPtr = std::shared_ptr<Slot>;  // a request outlives its endpoint's place in the list
  // A request that outlives its caller's views.
  struct Waiting {
    explicit Waiting(net::Loop& loop) : timer(loop) {}
    std::string method, path, body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::steady_clock::time_point deadline;
    net::HttpDone done;
    net::Timer timer;
  };

  void Start(const net::HttpClientRequest& request, const std::string& path, net::HttpDone done);
  void Judge(Slot& slot, const StatusOr<net::HttpClientResponse>& response);
  void Wait(const net::HttpClientRequest& request, std::string path, net::HttpDone done);
  void GiveUp(std::list<Waiting>::iterator waiting);
  void StartWaiting();

  net::Loop& loop_;
  net::HttpClient& client_;
  const std::string target_;
  const HttpTargetsOptions& options_;
  const std::function<void()> on_trouble_;
  Balancer<Slot> balancer_;
  std::vector<SlotPtr> slots_;
  std::vector<Slot*> choice_;  // of slots_
  std::string error_;          // of the list, while it names no endpoint
  std::list<Waiting> waiting_;
  size_t open_ = 0;  // requests in flight
  bool closed_ = false;
};

}  // namespace troth
