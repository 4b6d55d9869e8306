#pragma once
// Finds the endpoints of every target, for all loops. Owns the registries (one per kind and host
// list, made on first use) on one home loop, and hands out address lists that follow the registry.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "discovery/address.h"
#include "discovery/registry.h"
#include "discovery/registry_target.h"
#include "discovery/registry_times.h"
#include "net/loop.h"

namespace troth {

struct Endpoint {
  std::string address;  // "10.0.0.1:9000", "[::1]:9000"
  bool secure = false;
  int64_t weight = 100;
  bool operator==(const Endpoint&) const = default;
};

// A target's endpoints as they are now. `resolved` is false until the first answer; `error` says
// why not.
struct EndpointList {
  bool resolved = false;
  std::vector<Endpoint> endpoints;  // never shrinks to nothing once it had something
  std::string error;
  bool operator==(const EndpointList&) const = default;
};

// What a target's registry says of it, for people.
struct ServiceView {
  std::string registry;                    // "etcd at h:2379 (connected to h:2379)"
  std::vector<ServiceInstance> instances;  // none for addresses that name their endpoints
};

// Ends when destroyed: on the loop it was made for, before that loop and the home loop go.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Endpoints of the list do not work: look again soon, where looking is what finds changes (DNS).
  virtual void Refresh() = 0;
};

class Directory {
 public:
  // `configured`: the registry of MicroService.Target (kDirect: none); it answers
  // discovery:///name. `times` is for tests.
  Directory(net::Loop& home, RegistryTarget configured, const RegistryTimes& times = {});
  // On the home loop, or when that no longer runs.
  ~Directory();
  Directory(const Directory&) = delete;

  // Thread-safe. Calls on_change on `loop` with the list now known (soon) and after every change.
  // `scheme` is what the endpoints must speak: "grpc" or "http". With `secure_ok` an instance's TLS
  // endpoint is preferred to its plain one; without, TLS endpoints are left out and a target that
  // names one (grpcs://) is an error. Bad targets are InvalidArgument at once.
  StatusOr<std::unique_ptr<Subscription>> Subscribe(
      std::string_view target,
      std::string_view scheme,
      net::Loop& loop,
      std::function<void(const EndpointList&)> on_change,
      bool secure_ok = false);

  // Thread-safe. done() runs on `loop` with the view of a target that somebody is subscribed to.
  void Inspect(std::string_view target, net::Loop& loop, std::function<void(ServiceView)> done);

  // Registers this process in the configured registry, for ever (see Registry), under the name the
  // registry's target says and with an id of its own; the rest is `self`'s. Thread-safe, no-op
  // without a registry. Once.
  void RegisterSelf(ServiceInstance self);
  // Thread-safe. done() runs on the home loop.
  void DeregisterSelf(Duration timeout, std::function<void()> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troth
