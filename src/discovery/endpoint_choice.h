#pragma once
// Which endpoint of each instance to call: protocol/discovery.md sections 5.1 and 10.

#include <string_view>
#include <vector>

#include "discovery/directory.h"
#include "discovery/registry.h"

namespace troth {

// One endpoint per instance, in the order of the instances, each host:port once. `scheme` is "grpc"
// or "http". Of an instance that offers both, the secure endpoint is taken when `secure_ok`, else
// only plain ones count. Instances without a fitting endpoint are left out.
std::vector<Endpoint> ChooseEndpoints(const std::vector<ServiceInstance>& instances,
                                      std::string_view scheme,
                                      bool secure_ok);

}  // namespace troth
