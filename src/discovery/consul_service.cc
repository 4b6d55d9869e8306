#include "discovery/consul_service.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <utility>

#include "base/text.h"
#include "discovery/go_json.h"
#include "discovery/url.h"
#include "net/host_port.h"

namespace troth {

namespace json = boost::json;

namespace {

constexpr std::string_view kVersionTag = "version=";

struct PublishedAddress {
  std::string url;
  std::string scheme;
  net::HostPort at;
};

std::vector<PublishedAddress> ReadAddresses(const std::vector<std::string>& endpoints) {
  std::vector<PublishedAddress> out;
  for (const std::string& endpoint : endpoints) {
    const StatusOr<Url> url = ParseUrl(endpoint);
    if (!url.ok()) continue;
    const StatusOr<net::HostPort> at = net::ParseHostPort(url->host);
    out.push_back({endpoint, url->scheme, at.ok() ? *at : net::HostPort{url->host, 0}});
  }
  return out;
}

void AppendTagged(std::string& out, const std::vector<PublishedAddress>& addresses) {
  std::map<std::string, const PublishedAddress*> by_scheme;  // the last one of a scheme stays
  for (const PublishedAddress& address : addresses) by_scheme[address.scheme] = &address;
  out += '{';
  for (const auto& [scheme, address] : by_scheme) {
    if (out.back() != '{') out += ',';
    AppendGoString(out, scheme);
    out += ":{\"Address\":";
    AppendGoString(out, address->url);
    CatTo(out, ",\"Port\":", address->at.port, '}');
  }
  out += '}';
}

void AppendChecks(std::string& out,
                  const std::vector<PublishedAddress>& addresses,
                  std::string_view heartbeat) {
  constexpr std::string_view kForget = "\"DeregisterCriticalServiceAfter\":\"600s\"}";
  out += '[';
  for (const PublishedAddress& address : addresses) {
    out += "{\"Interval\":\"10s\",\"Timeout\":\"5s\",\"TCP\":";
    AppendGoString(out, net::FormatHostPort(address.at.host, address.at.port));
    CatTo(out, ',', kForget, ',');
  }
  out += "{\"CheckID\":";
  AppendGoString(out, heartbeat);
  CatTo(out, ",\"TTL\":\"", kConsulCheckTtlSeconds, "s\",", kForget, ']');
}

// --- Reading: null and what is missing are empty. ------------------------------------------------

const json::object* Object(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains({key.data(), key.size()});
  return value == nullptr ? nullptr : value->if_object();
}

std::string Text(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains({key.data(), key.size()});
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

uint16_t Port(const json::object& in) {
  const json::value* value = in.if_contains("Port");
  const int64_t* port = value == nullptr ? nullptr : value->if_int64();
  return port == nullptr || *port < 0 || *port > 65535 ? uint16_t{0} : static_cast<uint16_t>(*port);
}

std::string ReadVersion(const json::object& service) {
  const json::value* tags = service.if_contains("Tags");
  if (tags == nullptr || !tags->is_array()) return {};
  for (const json::value& tag : tags->get_array()) {
    if (!tag.is_string()) continue;
    const std::string_view text(tag.get_string().data(), tag.get_string().size());
    if (text.starts_with(kVersionTag)) return std::string(text.substr(kVersionTag.size()));
  }
  return {};
}

// What Consul adds by itself to every service whose address is an IP.
bool IsConsulsOwn(std::string_view tag) {
  return tag == "lan_ipv4" || tag == "wan_ipv4" || tag == "lan_ipv6" || tag == "wan_ipv6";
}

std::vector<std::string> ReadTagged(const json::object& service) {
  std::vector<std::string> endpoints;
  const json::object* tagged = Object(service, "TaggedAddresses");
  if (tagged == nullptr) return endpoints;
  for (const auto& member : *tagged) {
    const std::string_view tag(member.key().data(), member.key().size());
    const json::object* value = member.value().if_object();
    if (IsConsulsOwn(tag) || value == nullptr) continue;
    const std::string address = Text(*value, "Address");
    // Kratos puts a whole URL there; others a host.
    endpoints.push_back(address.find("://") != address.npos
                            ? address
                            : Cat(tag, "://", net::FormatHostPort(address, Port(*value))));
  }
  return endpoints;
}

ServiceInstance ReadEntry(const json::object& service, const json::object* node) {
  ServiceInstance instance;
  instance.id = Text(service, "ID");
  instance.name = Text(service, "Service");
  instance.version = ReadVersion(service);
  if (const json::object* meta = Object(service, "Meta")) {
    instance.metadata_null = false;
    for (const auto& member : *meta) {
      if (!member.value().is_string()) continue;
      const json::string& text = member.value().get_string();
      instance.metadata.emplace_back(std::string(member.key().data(), member.key().size()),
                                     std::string(text.data(), text.size()));
    }
  }
  instance.endpoints = ReadTagged(service);
  if (!instance.endpoints.empty()) return instance;
  std::string host = Text(service, "Address");
  if (host.empty() && node != nullptr) host = Text(*node, "Address");
  const std::string address = net::FormatHostPort(host, Port(service));
  instance.endpoints = {Cat("grpc://", address), Cat("http://", address)};
  return instance;
}

}  // namespace

std::string ConsulHeartbeatCheck(const ServiceInstance& instance) {
  return Cat("service:", instance.id);
}

std::string EncodeConsulService(const ServiceInstance& instance) {
  const std::vector<PublishedAddress> addresses = ReadAddresses(instance.endpoints);
  std::string out = "{";
  if (!instance.id.empty()) {
    out += "\"ID\":";
    AppendGoString(out, instance.id);
    out += ',';
  }
  out += "\"Name\":";
  AppendGoString(out, instance.name);
  out += ",\"Tags\":[";
  AppendGoString(out, Cat(kVersionTag, instance.version));
  out += ']';
  if (!addresses.empty()) {
    const net::HostPort& first = addresses.front().at;
    if (first.port != 0) CatTo(out, ",\"Port\":", first.port);
    out += ",\"Address\":";
    AppendGoString(out, first.host);
    out += ",\"TaggedAddresses\":";
    AppendTagged(out, addresses);
  }
  if (!instance.metadata.empty()) {
    out += ",\"Meta\":";
    AppendGoMap(out, instance.metadata);
  }
  out += ",\"Check\":null,\"Checks\":";
  AppendChecks(out, addresses, ConsulHeartbeatCheck(instance));
  return out += '}';
}

StatusOr<std::vector<ServiceInstance>> DecodeConsulHealth(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return InvalidArgument(Cat("not JSON: ", error.message()));
  if (!value.is_array()) return InvalidArgument("not a JSON array");
  std::vector<ServiceInstance> instances;
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_object()) return InvalidArgument("an entry is not a JSON object");
    const json::object* service = Object(entry.get_object(), "Service");
    if (service == nullptr) return InvalidArgument("an entry has no Service");
    instances.push_back(ReadEntry(*service, Object(entry.get_object(), "Node")));
  }
  return instances;
}

}  // namespace troth
