#include "discovery/instance_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/text.h"
#include "discovery/go_json.h"

namespace troth {

namespace json = boost::json;

namespace {

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  CatTo(out, '"', name, "\":");
  AppendGoString(out, value);
  out += ',';
}

void AppendMetadata(std::string& out, const ServiceInstance& instance) {
  if (instance.metadata.empty()) {
    out += instance.metadata_null ? "null" : "{}";
    return;
  }
  AppendGoMap(out, instance.metadata);
}

// --- Reading. Each returns false when the value is of another type; null counts as missing. ------

bool ReadText(const json::value& value, std::string& out) {
  if (value.is_null()) return true;
  if (!value.is_string()) return false;
  const json::string& text = value.get_string();
  out.assign(text.data(), text.size());
  return true;
}

bool ReadMetadata(const json::value& value, ServiceInstance& instance) {
  if (value.is_null()) return true;
  if (!value.is_object()) return false;
  instance.metadata_null = false;
  for (const auto& member : value.get_object()) {
    std::string text;
    if (!ReadText(member.value(), text)) return false;
    instance.metadata.emplace_back(std::string(member.key().data(), member.key().size()),
                                   std::move(text));
  }
  return true;
}

bool ReadEndpoints(const json::value& value, std::vector<std::string>& endpoints) {
  if (value.is_null()) return true;
  if (!value.is_array()) return false;
  for (const json::value& item : value.get_array()) {
    if (!ReadText(item, endpoints.emplace_back())) return false;
  }
  return true;
}

bool ReadField(std::string_view name, const json::value& value, ServiceInstance& instance) {
  if (name == "id") return ReadText(value, instance.id);
  if (name == "name") return ReadText(value, instance.name);
  if (name == "version") return ReadText(value, instance.version);
  if (name == "metadata") return ReadMetadata(value, instance);
  if (name == "endpoints") return ReadEndpoints(value, instance.endpoints);
  return true;
}

}  // namespace

std::string EncodeInstance(const ServiceInstance& instance) {
  std::string out = "{";
  AppendField(out, "id", instance.id);
  AppendField(out, "name", instance.name);
  AppendField(out, "version", instance.version);
  out += "\"metadata\":";
  AppendMetadata(out, instance);
  out += ",\"endpoints\":[";
  for (const std::string& endpoint : instance.endpoints) {
    if (out.back() != '[') out += ',';
    AppendGoString(out, endpoint);
  }
  out += "]}";
  return out;
}

StatusOr<ServiceInstance> DecodeInstance(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return InvalidArgument(Cat("not JSON: ", error.message()));
  if (!value.is_object()) return InvalidArgument("not a JSON object");
  ServiceInstance instance;
  for (const auto& member : value.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (!ReadField(name, member.value(), instance)) {
      return InvalidArgument(Cat("field '", ToValidUtf8(name), "' has an unexpected type"));
    }
  }
  return instance;
}

std::string ServicePrefix(std::string_view name) { return Cat("/microservices/", name, "/"); }

std::string InstanceKey(const ServiceInstance& instance) {
  return Cat(ServicePrefix(instance.name), instance.id);
}

}  // namespace troth
