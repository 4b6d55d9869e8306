#pragma once
// Sends HTTP requests to one live endpoint of a service that is looked up: discovery:///trans/path
// and the other schemes of targets. URLs with http:// and https:// go where they say. One per loop;
// for that loop's thread only.

#include <memory>

#include "discovery/balancer.h"
#include "discovery/directory.h"
#include "net/http1_client.h"
#include "net/loop.h"

namespace troth {

struct HttpTargetsOptions {
  Balance balance = Balance::kRoundRobin;
  // Instances are called at their `https` endpoint where they have one; the client must have TLS.
  bool secure_instances = false;
  uint32_t waiting_requests_max =
      4096;                     // requests waiting for a target's first endpoints; then Unavailable
  uint32_t targets_max = 1024;  // those that have nothing to do go, when there are more
};

class HttpTargets {
 public:
  // All outlive it; the client belongs to the same loop.
  HttpTargets(net::Loop& loop,
              Directory& directory,
              net::HttpClient& client,
              HttpTargetsOptions options);
  // Requests that still wait for an endpoint end with Cancelled, inside the destructor.
  ~HttpTargets();
  HttpTargets(const HttpTargets&) = delete;

  // As HttpClient::Send. One endpoint of each instance of a service is balanced; a request waits
  // for the first answer of its registry within its timeout.
  void Send(const net::HttpClientRequest& request, net::HttpDone done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troth
