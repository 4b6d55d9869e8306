#pragma once
// Keeps one instance registered with a Consul agent for ever: registers, sends heartbeats, and
// registers anew when a heartbeat fails. For one loop's thread.

#include <functional>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "discovery/backoff.h"
#include "discovery/consul_client.h"
#include "discovery/consul_times.h"
#include "discovery/lifeline.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

class ConsulRegistration {
 public:
  // Begins at once. `client` outlives it.
  ConsulRegistration(net::Loop& loop,
                     ConsulClient& client,
                     const ConsulTimes& times,
                     const ServiceInstance& instance);
  ConsulRegistration(const ConsulRegistration&) = delete;

  // done() in a later turn, when Consul confirmed or `timeout` passed.
  void Remove(Duration timeout, std::function<void()> done);
  bool registered() const { return registered_; }

 private:
  void Begin();
  void Beat();
  void OnBeat(const Status& status);
  void Lost(const Status& why);
  void TryRemove();
  void FinishRemoval();

  net::Loop& loop_;
  ConsulClient& client_;
  const ConsulTimes times_;
  const std::string id_;
  const std::string check_;
  const std::string body_;
  Random random_ = Random::FromDevice();
  Backoff backoff_;

  bool registered_ = false;
  std::function<void()> removed_;
  net::Timer retry_timer_;
  net::Timer beat_timer_;
  net::Timer remove_timer_;
  Lifeline attempt_;  // of the callbacks of this attempt, or of the removal
};

}  // namespace troth
