#include "discovery/address.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "discovery/registry_target.h"
#include "discovery/url.h"
#include "net/host_port.h"

namespace troth {
namespace {

Status BadUrl(std::string_view url, std::string_view why) {
  return InvalidArgument(Cat("bad url: '", ToValidUtf8(url), "'. ", why));
}

Status BadTarget(std::string_view target, std::string_view why) {
  return InvalidArgument(Cat("bad target: '", ToValidUtf8(target), "'. ", why));
}

std::vector<std::string> SplitHosts(std::string_view hosts) {
  std::vector<std::string> out;
  if (hosts.empty()) return out;
  for (std::string_view host : Split(hosts, ',')) out.emplace_back(host);
  return out;
}

// The method goes into an HTTP/2 header as it is.
Status CheckMethod(std::string_view url, std::string_view method) {
  for (const char c : method) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
      return BadUrl(url, "a method has no spaces and no control characters");
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<GrpcAddress> ParseGrpcUrl(std::string_view url) {
  GrpcAddress address;
  if (url.find("//") == url.npos) {
    const size_t slash = url.find('/');
    if (slash == url.npos) return BadUrl(url, "no '/' found");
    address = {std::string(url.substr(0, slash)), std::string(url.substr(slash))};
  } else {
    const StatusOr<Url> parsed = ParseUrl(url);
    if (!parsed.ok()) return BadUrl(url, Message(parsed.status()));
    if (parsed->path.empty()) return BadUrl(url, "no '/' found behind the host");
    const bool direct = parsed->scheme == "grpc" || parsed->scheme == "grpcs";
    // The first path segment is the service to look up; without a second one it is the method.
    size_t split = direct ? 0 : parsed->path.find('/', 1);
    if (split == std::string::npos) split = 0;
    address.method = parsed->path.substr(split);
    address.target = parsed->scheme == "grpc"
                         ? parsed->host
                         : Cat(parsed->scheme, "://", parsed->host, parsed->path.substr(0, split));
  }
  if (!address.method.starts_with('/')) return BadUrl(url, "no '/' found before the method");
  TROTH_RETURN_IF_ERROR(CheckMethod(url, address.method));
  return address;
}

StatusOr<HttpAddress> ParseHttpServiceUrl(std::string_view url) {
  const size_t authority = url.find("://");
  if (authority == url.npos) {
    return BadUrl(url, "write http://host/path, or discovery:///service/path to look it up");
  }
  const size_t segment = url.find('/', authority + 3);
  if (segment == url.npos) return BadUrl(url, "no '/' found behind the host");
  const size_t end = std::min(url.find_first_of("/?#", segment + 1), url.size());
  std::string_view path = url.substr(end);
  path = path.substr(0, path.find('#'));
  HttpAddress address{.target = std::string(url.substr(0, end)), .path = std::string(path)};
  if (!address.path.starts_with('/')) address.path.insert(0, "/");
  const StatusOr<Target> target = ParseTarget(address.target);
  if (!target.ok()) return target.status();
  return address;
}

namespace {

// Endpoints of direct and dns targets, each of them dialable.
StatusOr<Target> DirectTarget(std::string_view target,
                              TargetKind kind,
                              std::string_view endpoints,
                              bool secure) {
  Target direct{.kind = kind, .hosts = SplitHosts(endpoints), .service = {}, .secure = secure};
  if (direct.hosts.empty()) return BadTarget(target, "it names no host:port");
  for (const std::string& host : direct.hosts) {
    if (!IsDialable(host)) {
      return BadTarget(target, Cat("'", ToValidUtf8(host), "' is not host:port"));
    }
  }
  return direct;
}

StatusOr<Target> LookedUpTarget(std::string_view text, TargetKind kind, const Url& url) {
  StatusOr<std::vector<std::string>> hosts = ParseRegistryHosts(url.host, kind);
  if (!hosts.ok()) return BadTarget(text, Message(hosts.status()));
  Target target{.kind = kind,
                .hosts = *std::move(hosts),
                .service = std::string(WithoutFirstSlash(url.path)),
                .secure = false};
  if (target.service.empty()) {
    return BadTarget(text, "it names no service; write for example discovery:///trans");
  }
  if (kind == TargetKind::kEtcd && target.hosts.empty()) {
    return BadTarget(text, "it names no etcd host; write etcd://host:2379/name");
  }
  if (kind == TargetKind::kConsul && target.hosts.size() != 1) {
    return BadTarget(text, "it must name one Consul agent; write consul://host:8500/name");
  }
  return target;
}

}  // namespace

StatusOr<Target> ParseTarget(std::string_view target) {
  if (target.find("//") == target.npos) {
    return DirectTarget(target, TargetKind::kDirect, target, /*secure=*/false);
  }
  const StatusOr<Url> url = ParseUrl(target);
  if (!url.ok()) return BadTarget(target, Message(url.status()));
  const std::string& scheme = url->scheme;
  if (scheme == "discovery") return LookedUpTarget(target, TargetKind::kDiscovery, *url);
  if (scheme == "etcd") return LookedUpTarget(target, TargetKind::kEtcd, *url);
  if (scheme == "consul") return LookedUpTarget(target, TargetKind::kConsul, *url);
  if (scheme == "grpc") return DirectTarget(target, TargetKind::kDirect, url->host, false);
  if (scheme == "grpcs") return DirectTarget(target, TargetKind::kDirect, url->host, true);
  const std::string_view path = WithoutFirstSlash(url->path);
  if (scheme == "direct") return DirectTarget(target, TargetKind::kDirect, path, false);
  if (scheme == "dns") {
    if (!url->host.empty()) {
      return BadTarget(target, "names are looked up as the system does; write dns:///host:port");
    }
    return DirectTarget(target, TargetKind::kDns, path, false);
  }
  if (scheme == "kubernetes") {
    return Unimplemented(
        "kubernetes:// is not in this version of troth; use the service's DNS name, "
        "dns:///service.namespace.svc:port");
  }
  return BadTarget(target,
                   Cat("unknown scheme '",
                       scheme,
                       "'; known are host:port, direct:///a:1,b:2, dns:///host:port, "
                       "discovery:///name, etcd://host:2379/name, consul://host:8500/name, "
                       "grpc:// and grpcs://"));
}

StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view endpoints,
                                                  std::vector<std::string>* warnings) {
  std::vector<std::string> out;
  if (TrimSpace(endpoints).empty()) return out;
  for (std::string_view entry : Split(endpoints, ',')) {
    std::string endpoint(TrimSpace(entry));
    if (endpoint.find("://") == endpoint.npos) {
      if (warnings != nullptr) {
        warnings->push_back(Cat("MicroService.EndPoint '",
                                endpoint,
                                "' has no scheme; it is published as grpc://",
                                endpoint,
                                " because clients would not find it otherwise"));
      }
      endpoint.insert(0, "grpc://");
    }
    const StatusOr<Url> url = ParseUrl(endpoint);
    if (!url.ok() || url->scheme.empty() || !IsDialable(url->host)) {
      return InvalidArgument(Cat("bad MicroService.EndPoint: '",
                                 ToValidUtf8(endpoint),
                                 "'. Write for example grpc://host:36790,http://host:36789"));
    }
    out.push_back(std::move(endpoint));
  }
  return out;
}

}  // namespace troth
