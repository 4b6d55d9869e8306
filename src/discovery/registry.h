#pragma once
// The contract with a registry: register this process, watch a service's instances. A registry
// lives on one loop and never gives up: it retries for ever with jittered backoff, and keeps the
// last good answer while the registry is away.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace troth {

// What is written for one running process, and read back of others (Kratos's layout).
struct ServiceInstance {
  std::string id;  // unique per process
  std::string name;
  std::string version;
  std::vector<std::pair<std::string, std::string>> metadata;
  bool metadata_null = true;           // "metadata":null when empty
  std::vector<std::string> endpoints;  // "grpc://10.0.0.1:9000", "http://..."
  bool operator==(const ServiceInstance&) const = default;
};

// Watching ends when this is destroyed.
class Watch {
 public:
  virtual ~Watch() = default;
  // What was found does not work: look again soon. For registries that tell changes by themselves
  // there is nothing to do.
  virtual void Refresh() {}
};
// Called on the registry's loop with the whole list, first and after every change. Also with an
// empty list: the receiver decides to keep the last good one.
using InstancesFn = std::function<void(const std::vector<ServiceInstance>&)>;
// Called on the registry's loop with the reason, each time an attempt to get the first list fails.
using TroubleFn = std::function<void(const Status&)>;

class Registry {
 public:
  virtual ~Registry() = default;
  // Keeps `instance` registered until Deregister. Returns at once; trouble is logged and retried.
  virtual void Register(ServiceInstance instance) = 0;
  // Removes the registration; done() when the registry confirmed or `timeout` passed.
  virtual void Deregister(Duration timeout, std::function<void()> done) = 0;
  // The watch must go before the registry does. Neither callback is made inside this call.
  virtual std::unique_ptr<Watch> WatchService(std::string name,
                                              InstancesFn on_change,
                                              TroubleFn on_trouble) = 0;
  // For people: what it is connected to and since when, or why not.
  virtual std::string Describe() const = 0;
  virtual bool registered() const = 0;
};

}  // namespace troth
