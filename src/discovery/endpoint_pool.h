#pragma once
// One target's endpoints on one loop: a channel each, calls balanced over those that are connected.
// For that loop's thread.

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "discovery/directory.h"
#include "discovery/grpc_targets.h"
#include "discovery/saved_call.h"
#include "net/grpc_client.h"
#include "net/loop.h"

namespace troth {

// Makes a channel; tests make their own.
using ChannelMaker =
    std::function<std::shared_ptr<net::Channel>(const std::string& address, net::ChannelOptions)>;

class EndpointPool : public std::enable_shared_from_this<EndpointPool> {
 public:
  EndpointPool(net::Loop& loop,
               std::string target,
               const GrpcTargetsOptions& options,
               ChannelMaker make_channel);
  ~EndpointPool();
  EndpointPool(const EndpointPool&) = delete;

  // Follows the target: connects to what is new, lets calls on what is gone end.
  void OnList(const EndpointList& list);
  // As Channel::Unary. With one endpoint its channel does it all; with several, a call that
  // certainly reached no handler is tried on another one.
  void Unary(const net::UnaryCall& call, net::UnaryDone done);
  // Ends every call with Cancelled, inside this call, and every connection. Nothing may follow it.
  void Shutdown();

  bool idle() const;  // no call waits or is in flight
  std::vector<GrpcTargets::EndpointState> Describe() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Slot {
    Endpoint endpoint;
    std::shared_ptr<net::Channel> channel;
  };
  // A call that this pool answers for; its memory is used again.
  struct Attempt {
    explicit Attempt(net::Loop& loop) : timer(loop) {}
    SavedCall call;
    net::UnaryDone done;
    Clock::time_point deadline;
    int tries = 0;
    net::Channel* last = nullptr;  // only to compare with
    net::Timer timer;              // armed while it waits
    std::list<Attempt*>::iterator waiting_at;
  };

  Slot MakeSlot(const Endpoint& endpoint);
  void Reconnect(const net::Channel* channel);
  void Drain(Slot slot);
  void Drained(const net::Channel* channel);
  void OnChannelState();
  bool MayConnect() const;  // some channel is about to be ready, or to fail
  net::Channel* Pick(const net::Channel* avoid);

  Attempt* NewAttempt(const net::UnaryCall& call, net::UnaryDone done);
  void Go(Attempt* attempt);
  void Send(Attempt* attempt, net::Channel& channel);
  void OnResult(Attempt* attempt, net::UnaryResult result);
  void Wait(Attempt* attempt);
  void StopWaiting(Attempt* attempt);
  void WakeWaiting();
  void Fail(Attempt* attempt, StatusCode code, std::string why);
  void Finish(Attempt* attempt, net::UnaryResult result);
  // Why no call can be made now.
  std::string Trouble() const;
  Duration TimeLeft(const Attempt& attempt) const;

  net::Loop& loop_;
  const std::string target_;
  const GrpcTargetsOptions& options_;
  const ChannelMaker make_channel_;
  Random random_ = Random::FromDevice();

  std::string error_;  // of the list, while it names no endpoint
  Clock::time_point empty_since_;
  std::vector<Slot> slots_;
  std::vector<Slot> draining_;
  std::vector<net::Channel*> ready_;  // of slots_, in their order
  size_t next_ = 0;                   // for round robin

  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::vector<Attempt*> free_;
  std::list<Attempt*> waiting_;
  bool closed_ = false;
};

}  // namespace troth
