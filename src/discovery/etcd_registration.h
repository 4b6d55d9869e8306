#pragma once
// Keeps one instance registered in etcd for ever, as Kratos writes it: a lease, a key that lives as
// long as the lease, keep-alives. For one loop's thread.

#include <functional>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "discovery/backoff.h"
#include "discovery/etcd_client.h"
#include "discovery/etcd_times.h"
#include "discovery/lifeline.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

class EtcdRegistration {
 public:
  // Begins at once. `client` outlives it.
  EtcdRegistration(net::Loop& loop,
                   EtcdClient& client,
                   const EtcdTimes& times,
                   const ServiceInstance& instance);
  EtcdRegistration(const EtcdRegistration&) = delete;

  // etcd can be reached again: what waits for its next try need not wait.
  void OnConnected();
  // Deletes the key and revokes the lease; done() in a later turn, when etcd confirmed or `timeout`
  // passed.
  void Remove(Duration timeout, std::function<void()> done);
  bool registered() const { return registered_; }

 private:
  // One attempt: grant a lease, put the key, then keep both alive. Whatever goes wrong ends in
  // Lost, which begins anew with another lease; the old one dies by itself.
  void Begin();
  void OnGranted(StatusOr<int64_t> lease);
  void OnPut(const Status& status);
  void KeepAlive();
  void OnTtl(Duration ttl);
  void CheckKey();
  void OnKey(const StatusOr<EtcdRange>& range);
  void Lost(const Status& why);
  void OnDeleted(const Status& status);
  void FinishRemoval();

  net::Loop& loop_;
  EtcdClient& client_;
  const EtcdTimes times_;
  const std::string key_;
  const std::string value_;
  Random random_ = Random::FromDevice();
  Backoff backoff_;

  bool registered_ = false;
  int64_t lease_ = 0;        // 0: none
  bool answer_due_ = false;  // a keep-alive was sent and not answered
  uint64_t keepalives_ = 0;  // sent in this attempt
  std::unique_ptr<EtcdKeepAlive> stream_;
  std::function<void()> removed_;
  net::Timer retry_timer_;
  net::Timer keepalive_timer_;
  net::Timer remove_timer_;
  Lifeline attempt_;  // of the callbacks of this attempt, or of the removal
};

}  // namespace troth
