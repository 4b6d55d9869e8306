#include "discovery/registry_target.h"

#include <utility>

#include "base/text.h"
#include "discovery/registry_files.h"
#include "discovery/url.h"
#include "net/host_port.h"

namespace troth {
namespace {

constexpr std::string_view kTargetExample =
    "MicroService.Target is for example etcd://localhost:2379/dtmservice, "
    "etcd://host1:2379,host2:2379/dtmservice or consul://localhost:8500/dtmservice; leave it empty "
    "to register nowhere";
constexpr std::string_view kEtcdPort = ":2379";
constexpr std::string_view kConsulPort = ":8500";

Status BadRegistryTarget(std::string_view why) {
  return InvalidArgument(Cat(why, ". ", kTargetExample));
}

// As Go's ParseBool, which Consul's clients use.
bool IsTrue(std::string_view text) {
  return text == "1" || EqualsIgnoreCase(text, "t") || EqualsIgnoreCase(text, "true");
}
bool IsFalse(std::string_view text) {
  return text == "0" || EqualsIgnoreCase(text, "f") || EqualsIgnoreCase(text, "false");
}

void SetIfOpen(std::string& field, std::string value) {
  if (field.empty()) field = std::move(value);
}

// What Consul's own clients take from the environment, where the target does not say it.
Status ApplyConsulEnvironment(const EnvironmentFn& environment, RegistryTarget& target) {
  const std::string token_file = environment("CONSUL_HTTP_TOKEN_FILE");
  if (target.token.empty() && !token_file.empty()) {
    TROTH_ASSIGN_OR_RETURN(const std::string token,
                           ReadRegistryFile(token_file,
                                            "CONSUL_HTTP_TOKEN_FILE not found: ",
                                            "cannot read CONSUL_HTTP_TOKEN_FILE: "));
    target.token = std::string(TrimSpace(token));
  }
  SetIfOpen(target.token, environment("CONSUL_HTTP_TOKEN"));
  SetIfOpen(target.name_space, environment("CONSUL_NAMESPACE"));
  SetIfOpen(target.partition, environment("CONSUL_PARTITION"));
  if (target.user.empty()) {
    const std::string both = environment("CONSUL_HTTP_AUTH");
    const size_t colon = both.find(':');
    target.user = both.substr(0, colon);
    if (colon != both.npos) target.password = both.substr(colon + 1);
  }
  if (IsTrue(environment("CONSUL_HTTP_SSL"))) target.tls = true;
  if (!target.tls) return OkStatus();
  SetIfOpen(target.ca_path, environment("CONSUL_CACERT"));
  SetIfOpen(target.cert_path, environment("CONSUL_CLIENT_CERT"));
  SetIfOpen(target.cert_key_path, environment("CONSUL_CLIENT_KEY"));
  target.tls_server_name = environment("CONSUL_TLS_SERVER_NAME");
  target.tls_skip_verify = IsFalse(environment("CONSUL_HTTP_SSL_VERIFY"));
  return OkStatus();
}

// tls=true&caPath=...&certPath=...&certKeyPath=..., and for Consul token, namespace and partition.
void ReadQuery(const Url& url, RegistryTarget& target) {
  target.tls = QueryValue(url, "tls") == "true";
  if (target.tls) {
    target.ca_path = QueryValue(url, "caPath");
    target.cert_path = QueryValue(url, "certPath");
    target.cert_key_path = QueryValue(url, "certKeyPath");
  }
  if (target.kind != TargetKind::kConsul) return;
  target.token = QueryValue(url, "token");
  target.name_space = QueryValue(url, "namespace");
  target.partition = QueryValue(url, "partition");
}

Status CheckHosts(std::string_view text, const RegistryTarget& target) {
  if (target.hosts.empty()) return BadRegistryTarget(Cat("no host in '", ToValidUtf8(text), "'"));
  if (target.kind != TargetKind::kConsul) return OkStatus();
  if (target.hosts.size() > 1) {
    return BadRegistryTarget(
        Cat("no such host: '", JoinText(target.hosts, ","), "'; name one Consul agent"));
  }
  if (target.service.empty()) {
    return BadRegistryTarget(Cat("Missing service name in '", ToValidUtf8(text), "'"));
  }
  return OkStatus();
}

}  // namespace

bool IsDialable(std::string_view address) {
  const auto parsed = net::ParseHostPort(address);
  return parsed.ok() && !parsed->host.empty() && parsed->port != 0;
}

std::string_view WithoutFirstSlash(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

StatusOr<std::vector<std::string>> ParseRegistryHosts(std::string_view text, TargetKind kind) {
  std::vector<std::string> hosts;
  if (text.empty()) return hosts;
  for (std::string_view part : Split(text, ',')) {
    std::string host(part);
    const bool has_port = host.find(':') != host.npos && !host.ends_with(']');
    if (!has_port) host += kind == TargetKind::kConsul ? kConsulPort : kEtcdPort;
    if (!IsDialable(host)) {
      return InvalidArgument(Cat("'", ToValidUtf8(host), "' is not host:port"));
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

StatusOr<RegistryTarget> ParseRegistryTarget(std::string_view text,
                                             const EnvironmentFn& environment) {
  // Written over several lines in a YAML file it is still one URL.
  std::string joined(text);
  std::erase_if(joined, [](char c) { return c == '\r' || c == '\n'; });
  RegistryTarget target;
  if (joined.empty()) return target;
  const StatusOr<Url> url = ParseUrl(joined);
  if (!url.ok()) return BadRegistryTarget(Message(url.status()));
  if (url->scheme == "consul") {
    target.kind = TargetKind::kConsul;
  } else if (url->scheme == "etcd" || url->scheme == "discovery") {
    target.kind = TargetKind::kEtcd;
  } else {
    return BadRegistryTarget(Cat("unknown scheme: ", url->scheme));
  }
  StatusOr<std::vector<std::string>> hosts = ParseRegistryHosts(url->host, target.kind);
  if (!hosts.ok()) return BadRegistryTarget(Message(hosts.status()));
  target.hosts = *std::move(hosts);
  target.service = std::string(WithoutFirstSlash(url->path));
  target.user = url->user;
  target.password = url->password;
  TROTH_RETURN_IF_ERROR(CheckHosts(joined, target));
  ReadQuery(*url, target);
  if (target.kind == TargetKind::kConsul && environment != nullptr) {
    TROTH_RETURN_IF_ERROR(ApplyConsulEnvironment(environment, target));
  }
  TROTH_RETURN_IF_ERROR(CheckRegistryFiles(target));
  return target;
}

}  // namespace troth
