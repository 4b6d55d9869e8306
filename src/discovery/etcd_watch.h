#pragma once
// Follows the instances of one service in etcd: lists them at some revision, then watches from the
// next one, so that no change is missed; lists again when the watch breaks. For one loop's thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "discovery/backoff.h"
#include "discovery/etcd_client.h"
#include "discovery/etcd_times.h"
#include "discovery/lifeline.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

class EtcdWatch final : public Watch {
 public:
  // Begins at once. `client` outlives it. `on_gone` is called by the destructor.
  EtcdWatch(net::Loop& loop,
            EtcdClient& client,
            const EtcdTimes& times,
            std::string name,
            InstancesFn on_change,
            TroubleFn on_trouble,
            std::function<void(EtcdWatch*)> on_gone);
  ~EtcdWatch() override { on_gone_(this); }

  // etcd can be reached again: what waits for its next try need not wait.
  void OnConnected();

 private:
  struct Entry {
    std::string value;                        // as it lies in etcd
    std::optional<ServiceInstance> instance;  // nothing: skipped, not an instance of this service
    bool operator==(const Entry&) const = default;
  };
  using Entries = std::map<std::string, Entry>;  // by key

  void List();
  void OnList(StatusOr<EtcdRange> range);
  void OnEvents(std::vector<EtcdEvent> events);
  void Broken(const Status& why);
  Entry Read(const EtcdEntry& entry) const;
  void Tell();

  EtcdClient& client_;
  const std::string name_;
  const std::string prefix_;
  const InstancesFn on_change_;
  const TroubleFn on_trouble_;
  const std::function<void(EtcdWatch*)> on_gone_;
  Random random_ = Random::FromDevice();
  Backoff backoff_;

  bool listed_ = false;  // at least once
  Entries entries_;
  std::unique_ptr<EtcdStream> stream_;
  net::Timer retry_timer_;
  Lifeline attempt_;  // of the callbacks of the current list and watch
};

}  // namespace troth
