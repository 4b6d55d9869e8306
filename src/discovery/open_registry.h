#pragma once
// From what an address or MicroService.Target names to the registry itself.

#include <memory>
#include <string>

#include "base/status.h"
#include "discovery/registry.h"
#include "discovery/registry_target.h"
#include "discovery/registry_times.h"
#include "net/loop.h"

namespace troth {

// "etcd at h1:2379,h2:2379", "consul at h:8500", "dns": the same for the same registry.
std::string RegistryName(const RegistryTarget& target);

// Error: its certificates cannot be loaded (any more).
StatusOr<std::unique_ptr<Registry>> OpenRegistry(net::Loop& loop,
                                                 const RegistryTarget& target,
                                                 const RegistryTimes& times);

}  // namespace troth
