#pragma once
// A service instance as Kratos keeps it in a registry: protocol/discovery.md sections 3 and 5.

#include <string>
#include <string_view>

#include "base/status.h"
#include "discovery/registry.h"

namespace troth {

// Byte for byte what Go's encoding/json writes: fixed order of keys, metadata sorted, '<', '>' and
// '&' as \u003c, \u003e, \u0026.
std::string EncodeInstance(const ServiceInstance& instance);

// Error: InvalidArgument, when Kratos's reader would refuse it too: not JSON, or a field of another
// type. Missing fields are empty, unknown ones are skipped.
StatusOr<ServiceInstance> DecodeInstance(std::string_view json);

// Where the instances of a service lie in etcd: "/microservices/<name>/".
std::string ServicePrefix(std::string_view name);
std::string InstanceKey(const ServiceInstance& instance);

}  // namespace troth
