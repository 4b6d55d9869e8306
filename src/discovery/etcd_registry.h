#pragma once
// etcd as a registry, in Kratos's layout: protocol/discovery.md sections 3, 5 and 7.

#include <memory>

#include "discovery/etcd_client.h"
#include "discovery/etcd_times.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

std::unique_ptr<Registry> MakeEtcdRegistry(net::Loop& loop,
                                           EtcdOptions options,
                                           const EtcdTimes& times = {});

}  // namespace troth
