#pragma once
// Consul as a registry, in Kratos's layout: protocol/discovery.md sections 4, 5 and 7.

#include <memory>

#include "discovery/consul_client.h"
#include "discovery/consul_times.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

std::unique_ptr<Registry> MakeConsulRegistry(net::Loop& loop,
                                             ConsulOptions options,
                                             const ConsulTimes& times = {});

}  // namespace troth
