#pragma once
// Addresses of branches and of the manager itself, in every form clients use: protocol/discovery.md
// sections 2 and 6.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/tls.h"

namespace troth {

// A gRPC branch URL taken apart: whom to dial and what to call.
struct GrpcAddress {
  std::string target;  // "host:9000", "discovery:///trans", "etcd://h1:2379,h2:2379/trans",
                       // "direct:///a:1,b:2" ...
  std::string method;  // "/api.trans.v1.Trans/TransIn"
  bool operator==(const GrpcAddress&) const = default;
};
// Every row of discovery.md 6.1; what Go crashes on is InvalidArgument "bad url: '...'. ..." here.
// `grpc://host:port/svc/M` and `grpcs://...` are accepted as host:port.
StatusOr<GrpcAddress> ParseGrpcUrl(std::string_view url);

enum class TargetKind : uint8_t { kDirect, kDns, kEtcd, kConsul, kDiscovery };
// A dial target taken apart.
struct Target {
  TargetKind kind = TargetKind::kDirect;
  std::vector<std::string>
      hosts;  // registry hosts (etcd, consul, discovery with a host) or endpoints (direct, dns)
  std::string service;  // name to look up
  bool secure = false;  // grpcs://
  bool operator==(const Target&) const = default;
};
StatusOr<Target> ParseTarget(std::string_view target);

// MicroService.Target: where the manager registers itself. Error texts of discovery.md section 2,
// with an example of what is right. An empty target means: register nowhere.
struct RegistryTarget {
  TargetKind kind = TargetKind::kDirect;  // kDirect: none
  std::vector<std::string> hosts;
  std::string service;
  std::string user, password;  // etcd: from the URL's authority
  bool tls = false;            // tls=true
  std::string ca_path, cert_path, cert_key_path;
};
// Files of TLS parameters are read and checked, so that a wrong one shows at start.
StatusOr<RegistryTarget> ParseRegistryTarget(std::string_view target);
// What the TLS parameters name, loaded; null without tls=true.
StatusOr<std::shared_ptr<net::TlsContext>> LoadRegistryTls(const RegistryTarget& target);

// MicroService.EndPoint: a comma list of URLs to publish. An entry without a scheme gets grpc://
// (and a warning).
StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view endpoints,
                                                  std::vector<std::string>* warnings);

}  // namespace troth
