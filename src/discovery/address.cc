#include "discovery/address.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/text.h"
#include "discovery/url.h"
#include "net/host_port.h"

namespace troth {
namespace {

constexpr std::string_view kTargetExample =
    "MicroService.Target is for example etcd://localhost:2379/dtmservice, or "
    "etcd://host1:2379,host2:2379/dtmservice; leave it empty to register nowhere";
constexpr std::string_view kNoConsul =
    "consul:// is not in this version of troth; use etcd://host:2379/name, or direct addresses";
constexpr std::string_view kEtcdPort = ":2379";

Status BadUrl(std::string_view url, std::string_view why) {
  return InvalidArgument(Cat("bad url: '", ToValidUtf8(url), "'. ", why));
}

Status BadTarget(std::string_view target, std::string_view why) {
  return InvalidArgument(Cat("bad target: '", ToValidUtf8(target), "'. ", why));
}

// Whether one can connect to it: a host and a port that is not 0.
bool IsDialable(std::string_view address) {
  const auto parsed = net::ParseHostPort(address);
  return parsed.ok() && !parsed->host.empty() && parsed->port != 0;
}

std::vector<std::string> SplitHosts(std::string_view hosts) {
  std::vector<std::string> out;
  if (hosts.empty()) return out;
  for (std::string_view host : Split(hosts, ',')) out.emplace_back(host);
  return out;
}

// The hosts of a registry; one without a port gets etcd's.
StatusOr<std::vector<std::string>> RegistryHosts(std::string_view text) {
  std::vector<std::string> hosts = SplitHosts(text);
  for (std::string& host : hosts) {
    const bool has_port = host.find(':') != host.npos && !host.ends_with(']');
    if (!has_port) host += kEtcdPort;
    if (!IsDialable(host)) {
      return InvalidArgument(Cat("'", ToValidUtf8(host), "' is not host:port"));
    }
  }
  return hosts;
}

std::string_view WithoutFirstSlash(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  return path;
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
  StatusOr<std::vector<std::string>> hosts = RegistryHosts(url.host);
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
  if (scheme == "consul") return Unimplemented(kNoConsul);
  if (scheme == "kubernetes") {
    return Unimplemented(
        "kubernetes:// is not in this version of troth; use the service's DNS name, "
        "dns:///service.namespace.svc:port");
  }
  return BadTarget(target,
                   Cat("unknown scheme '",
                       scheme,
                       "'; known are host:port, direct:///a:1,b:2, dns:///host:port, "
                       "discovery:///name, etcd://host:2379/name, grpc:// and grpcs://"));
}

namespace {

// PEM files are a few kB; a bundle of every public authority is 200 kB.
constexpr size_t kPemBytesMax = 4 << 20;

StatusOr<std::string> ReadFile(const std::string& path,
                               std::string_view not_found,
                               std::string_view not_readable) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) {
    return InvalidArgument(Cat(errno == ENOENT ? not_found : not_readable, path));
  }
  std::string content;
  char chunk[4096];
  size_t size = 0;
  while (content.size() < kPemBytesMax &&
         (size = std::fread(chunk, 1, sizeof(chunk), file.get())) > 0) {
    content.append(chunk, size);
  }
  if (std::ferror(file.get()) != 0) return InvalidArgument(Cat(not_readable, path));
  return content;
}

// tls=true&caPath=...&certPath=...&certKeyPath=...: the files must be there. Whether certificate
// and key fit together shows when they are loaded.
Status ReadTls(const Url& url, RegistryTarget& target) {
  target.tls = QueryValue(url, "tls") == "true";
  if (!target.tls) return OkStatus();
  target.ca_path = QueryValue(url, "caPath");
  target.cert_path = QueryValue(url, "certPath");
  target.cert_key_path = QueryValue(url, "certKeyPath");
  if (!target.ca_path.empty()) {
    TROTH_ASSIGN_OR_RETURN(const std::string ca,
                           ReadFile(target.ca_path,
                                    "ca  file not found: ",
                                    "read ca file failed, check your permission: "));
    if (ca.find("-----BEGIN CERTIFICATE-----") == ca.npos) {
      return InvalidArgument(
          Cat("append ca to x509.CertPool failed: no PEM certificate in ", target.ca_path));
    }
  }
  for (const auto& [path, what] :
       {std::pair(&target.cert_path, "cert"), std::pair(&target.cert_key_path, "key")}) {
    if (path->empty()) continue;
    TROTH_RETURN_IF_ERROR(ReadFile(*path,
                                   Cat(what, " file not found: "),
                                   Cat("read ", what, " file failed, check your permission: "))
                              .status());
  }
  return LoadRegistryTls(target).status();
}

}  // namespace

StatusOr<std::shared_ptr<net::TlsContext>> LoadRegistryTls(const RegistryTarget& target) {
  if (!target.tls) return nullptr;
  net::TlsOptions options;
  options.ca_file = target.ca_path;
  // As the Kratos driver: a client certificate is used only when both files are given.
  if (!target.cert_path.empty() && !target.cert_key_path.empty()) {
    options.certificate_file = target.cert_path;
    options.key_file = target.cert_key_path;
  }
  return net::TlsContext::MakeClient(options);
}

StatusOr<RegistryTarget> ParseRegistryTarget(std::string_view text) {
  // Written over several lines in a YAML file it is still one URL.
  std::string joined(text);
  std::erase_if(joined, [](char c) { return c == '\r' || c == '\n'; });
  RegistryTarget target;
  if (joined.empty()) return target;
  const StatusOr<Url> url = ParseUrl(joined);
  if (!url.ok()) return InvalidArgument(Cat(Message(url.status()), ". ", kTargetExample));
  if (url->scheme == "consul") return Unimplemented(kNoConsul);
  if (url->scheme != "etcd" && url->scheme != "discovery") {
    return InvalidArgument(Cat("unknown scheme: ", url->scheme, ". ", kTargetExample));
  }
  StatusOr<std::vector<std::string>> hosts = RegistryHosts(url->host);
  if (!hosts.ok()) return InvalidArgument(Cat(Message(hosts.status()), ". ", kTargetExample));
  if (hosts->empty()) {
    return InvalidArgument(Cat("no host in '", ToValidUtf8(joined), "'. ", kTargetExample));
  }
  target.kind = TargetKind::kEtcd;
  target.hosts = *std::move(hosts);
  target.service = std::string(WithoutFirstSlash(url->path));
  target.user = url->user;
  target.password = url->password;
  TROTH_RETURN_IF_ERROR(ReadTls(*url, target));
  return target;
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
