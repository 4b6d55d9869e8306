#pragma once
// Addresses of branches and of the manager itself, in every form clients use: protocol/discovery.md
// sections 2 and 6. Where the manager registers itself is in registry_target.h.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

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

// An HTTP branch URL of a service to look up, taken apart.
struct HttpAddress {
  std::string target;  // as GrpcAddress::target
  std::string path;    // with its query, as written: "/api/TransIn?x=1"
  bool operator==(const HttpAddress&) const = default;
};
// `discovery:///trans/api/TransIn` and the other schemes of targets: the first segment of the path
// is the service, the rest the path there. InvalidArgument for anything else, http:// included.
StatusOr<HttpAddress> ParseHttpServiceUrl(std::string_view url);

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

// MicroService.EndPoint: a comma list of URLs to publish. An entry without a scheme gets grpc://
// (and a warning).
StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view endpoints,
                                                  std::vector<std::string>* warnings);

}  // namespace troth
