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

#include "discovery/balancer.h"
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
  // `on_trouble` is called when a connection fails: the target may have moved.
  EndpointPool(net::Loop& loop,
               std::string target,
               const GrpcTargetsOptions& options,
               ChannelMaker make_channel,
               std::function<void()> on_trouble);
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
    BalanceState balance = {};
    size_t calls_in_flight() const { return channel->calls_in_flight(); }
  };
  using SlotPtr = std::unique_ptr<Slot>;
  // A call that this pool answers for; its memory is used again.
  struct Attempt {
    explicit Attempt(net::Loop& loop) : timer(loop) {}
    SavedCall call;
    net::UnaryDone done;
    Clock::time_point deadline;
    int tries = 0;
    const Slot* last = nullptr;  // only to compare with
    net::Timer timer;            // armed while it waits
    std::list<Attempt*>::iterator waiting_at;
  };

  SlotPtr MakeSlot(const Endpoint& endpoint);
  void OnState(const net::Channel* channel, net::ChannelState state);
  void Reconnect(const net::Channel* channel);
  void Drain(SlotPtr slot);
  void Drained(const net::Channel* channel);
  void OnChannelState();
  bool MayConnect() const;  // some channel is about to be ready, or to fail
  void Judge(const Slot* slot, StatusCode code);

  Attempt* NewAttempt(const net::UnaryCall& call, net::UnaryDone done);
  void Go(Attempt* attempt);
  void Send(Attempt* attempt, Slot& slot);
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
  const std::function<void()> on_trouble_;
  Balancer<Slot> balancer_;

  std::string error_;  // of the list, while it names no endpoint
  Clock::time_point empty_since_;
  std::vector<SlotPtr> slots_;
  std::vector<SlotPtr> draining_;
  std::vector<Slot*> ready_;  // of slots_, in their order: those that are connected

  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::vector<Attempt*> free_;
  std::list<Attempt*> waiting_;
  bool closed_ = false;
};

}  // namespace troth
