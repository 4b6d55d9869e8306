#pragma once
// MicroService.Target: in which registry the manager registers itself, and how it gets in.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "discovery/address.h"
#include "net/tls.h"

namespace troth {

struct RegistryTarget {
  TargetKind kind = TargetKind::kDirect;  // kEtcd or kConsul; kDirect: none
  std::vector<std::string> hosts;         // one for Consul
  std::string service;
  std::string user, password;         // from the URL's authority; Consul: HTTP basic authentication
  std::string token;                  // Consul's ACL
  std::string name_space, partition;  // of Consul Enterprise
  bool tls = false;                   // tls=true
  std::string ca_path, cert_path, cert_key_path;
  std::string tls_server_name;   // empty: the host's
  bool tls_skip_verify = false;  // Consul's CONSUL_HTTP_SSL_VERIFY=false
};

// Value of an environment variable; empty when it is not set.
using EnvironmentFn = std::function<std::string(std::string_view name)>;

// Error texts of discovery.md section 2, with an example of what is right. An empty target means:
// register nowhere. What a Consul target leaves open is taken from the variables that Consul's own
// clients read (CONSUL_HTTP_TOKEN and so on). Files of TLS parameters are read and checked, so that
// a wrong one shows at start.
StatusOr<RegistryTarget> ParseRegistryTarget(std::string_view target,
                                             const EnvironmentFn& environment = nullptr);

// What the TLS parameters name, loaded; null without TLS.
StatusOr<std::shared_ptr<net::TlsContext>> LoadRegistryTls(const RegistryTarget& target);

// The hosts of a registry of that kind; one without a port gets the registry's usual one.
StatusOr<std::vector<std::string>> ParseRegistryHosts(std::string_view text, TargetKind kind);

// Whether one can connect to it: a host and a port that is not 0.
bool IsDialable(std::string_view address);

// The service's name in a URL's path.
std::string_view WithoutFirstSlash(std::string_view path);

}  // namespace troth
