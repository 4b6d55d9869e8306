#pragma once
// How every kind of registry behaves in time; tests make it faster.

#include "discovery/consul_times.h"
#include "discovery/dns_times.h"
#include "discovery/etcd_times.h"

namespace troth {

struct RegistryTimes {
  EtcdTimes etcd = {};
  ConsulTimes consul = {};
  DnsTimes dns = {};
};

}  // namespace troth
