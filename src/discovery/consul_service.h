#pragma once
// A service in Consul's agent as Kratos keeps it: protocol/discovery.md sections 4 and 5.1.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "discovery/registry.h"

namespace troth {

// Consul takes the service for dead when no heartbeat came for so long (Kratos's 20 s).
inline constexpr int kConsulCheckTtlSeconds = 20;

// The body of PUT /v1/agent/service/register, byte for byte as Kratos writes it: address and port
// of the first endpoint, a tagged address for each scheme, a TCP check for each endpoint and one
// check that lives by heartbeats. Endpoints are URLs.
std::string EncodeConsulService(const ServiceInstance& instance);

// The name of the check that lives by heartbeats.
std::string ConsulHeartbeatCheck(const ServiceInstance& instance);

// The instances in an answer of GET /v1/health/service/<name>. A service without tagged addresses
// of its own is taken at its address, for whatever scheme is asked. Error: InvalidArgument, when it
// is not such an answer.
StatusOr<std::vector<ServiceInstance>> DecodeConsulHealth(std::string_view json);

}  // namespace troth
