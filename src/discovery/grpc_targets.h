#pragma once
// Calls a method on one live endpoint of a target: keeps a channel per endpoint, balances over
// those that are connected, and tries another endpoint when one certainly did not get the call. One
// per loop; for that loop's thread only.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/balancer.h"
#include "discovery/directory.h"
#include "net/grpc_client.h"
#include "net/loop.h"

namespace troth {

struct GrpcTargetsOptions {
  Balance balance = Balance::kRoundRobin;
  net::ChannelOptions channel;
  std::shared_ptr<net::TlsContext> tls;  // for grpcs:// addresses; null: they are refused
  // Whether registered instances are called on their secure endpoints, before plain ones.
  bool secure_instances = false;
  Duration fail_fast_after = Seconds(30);  // without any endpoint for so long: Unavailable at once
  uint32_t waiting_calls_max =
      4096;                      // calls waiting for a target's first endpoints; then Unavailable
  uint32_t targets_max = 10000;  // the least recently used idle ones go
};

class GrpcTargets {
 public:
  GrpcTargets(net::Loop& loop, Directory& directory, GrpcTargetsOptions options);
  // Ends calls that are still open with Cancelled, inside the destructor.
  ~GrpcTargets();
  GrpcTargets(const GrpcTargets&) = delete;

  // As Channel::Unary; waits for endpoints and connections within call.timeout.
  // A bad target ends in InvalidArgument.
  void Unary(std::string_view target, const net::UnaryCall& call, net::UnaryDone done);

  // For people: each endpoint of the target, its state, calls in flight, last error. Empty when
  // unknown.
  struct EndpointState {
    Endpoint endpoint;
    net::ChannelState state;
    bool ejected;  // left out for a while, because calls on it failed
    size_t calls_in_flight;
    std::string last_error;
  };
  std::vector<EndpointState> Describe(std::string_view target) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troth
