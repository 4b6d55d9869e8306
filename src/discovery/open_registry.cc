#include "discovery/open_registry.h"

#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "discovery/consul_registry.h"
#include "discovery/dns_registry.h"
#include "discovery/etcd_registry.h"

namespace troth {
namespace {

StatusOr<std::unique_ptr<Registry>> OpenEtcd(net::Loop& loop,
                                             const RegistryTarget& target,
                                             const EtcdTimes& times) {
  EtcdOptions options;
  options.hosts = target.hosts;
  options.user = target.user;
  options.password = target.password;
  TROTH_ASSIGN_OR_RETURN(options.tls, LoadRegistryTls(target));
  return MakeEtcdRegistry(loop, std::move(options), times);
}

StatusOr<std::unique_ptr<Registry>> OpenConsul(net::Loop& loop,
                                               const RegistryTarget& target,
                                               const ConsulTimes& times) {
  ConsulOptions options;
  options.host = target.hosts.front();
  options.token = target.token;
  options.user = target.user;
  options.password = target.password;
  options.name_space = target.name_space;
  options.partition = target.partition;
  TROTH_ASSIGN_OR_RETURN(options.tls, LoadRegistryTls(target));
  return MakeConsulRegistry(loop, std::move(options), times);
}

}  // namespace

std::string RegistryName(const RegistryTarget& target) {
  const std::string hosts = JoinText(target.hosts, ",");
  switch (target.kind) {
    case TargetKind::kConsul: return Cat("consul at ", hosts);
    case TargetKind::kEtcd:
    case TargetKind::kDiscovery: return Cat("etcd at ", hosts);
    case TargetKind::kDns:
    case TargetKind::kDirect: return "dns";
  }
  std::abort();  // not one of the values: memory is corrupt
}

StatusOr<std::unique_ptr<Registry>> OpenRegistry(net::Loop& loop,
                                                 const RegistryTarget& target,
                                                 const RegistryTimes& times) {
  switch (target.kind) {
    case TargetKind::kConsul: return OpenConsul(loop, target, times.consul);
    case TargetKind::kEtcd:
    case TargetKind::kDiscovery: return OpenEtcd(loop, target, times.etcd);
    case TargetKind::kDns:
    case TargetKind::kDirect: return MakeDnsRegistry(loop, times.dns);
  }
  std::abort();  // not one of the values: memory is corrupt
}

}  // namespace troth
