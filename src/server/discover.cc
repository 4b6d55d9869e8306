#include "server/discover.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "api/answers.h"
#include "base/text.h"
#include "net/loop.h"
#include "server/own_registry.h"
#include "wire/json_writer.h"

namespace troth {
namespace {

// For a registry to answer, and again for the endpoints to be reached.
constexpr Duration kPatience = Seconds(3);

bool HasEndpoint(const Explanation& explanation) {
  return !explanation.grpc.empty() || !explanation.http.empty();
}

void AppendInstances(std::string& out, const Explanation& explanation) {
  for (const ServiceInstance& instance : explanation.instances) {
    CatTo(out, "  instance  ", instance.id.empty() ? "(no id)" : instance.id);
    if (!instance.version.empty()) CatTo(out, ", version ", instance.version);
    for (const auto& [key, value] : instance.metadata) CatTo(out, ", ", key, "=", value);
    out += '\n';
    for (const std::string& endpoint : instance.endpoints)
      CatTo(out, "            ", endpoint, '\n');
  }
}

void WriteEndpoint(JsonWriter& json, const Endpoint& endpoint) {
  json.Field("address", endpoint.address).Field("weight", endpoint.weight);
}

void WriteInstance(JsonWriter& json, const ServiceInstance& instance) {
  json.BeginObject()
      .Field("id", instance.id)
      .Field("name", instance.name)
      .Field("version", instance.version)
      .Key("metadata")
      .BeginObject();
  for (const auto& [key, value] : instance.metadata) json.Field(key, value);
  json.EndObject().Key("endpoints").BeginArray();
  for (const std::string& endpoint : instance.endpoints) json.String(endpoint);
  json.EndArray().EndObject();
}

}  // namespace

std::string DescribeExplanation(const Explanation& explanation) {
  std::string out = Cat(explanation.target, "\n  registry  ", explanation.registry, '\n');
  AppendInstances(out, explanation);
  for (const Explanation::Choice& choice : explanation.grpc) {
    CatTo(out, "  gRPC      ", choice.endpoint.address, ", weight ", choice.endpoint.weight, ": ");
    CatTo(out, choice.connected ? "connected" : std::string_view(choice.trouble), '\n');
  }
  for (const Endpoint& endpoint : explanation.http) {
    CatTo(out, "  HTTP      ", endpoint.address, ", weight ", endpoint.weight, '\n');
  }
  if (!explanation.error.empty()) CatTo(out, "  no endpoint: ", explanation.error, '\n');
  return out;
}

std::string ExplanationJson(const Explanation& explanation) {
  JsonWriter json;
  json.BeginObject()
      .Field("target", explanation.target)
      .Field("registry", explanation.registry)
      .Field("error", explanation.error)
      .Key("instances")
      .BeginArray();
  for (const ServiceInstance& instance : explanation.instances) WriteInstance(json, instance);
  json.EndArray().Key("grpc").BeginArray();
  for (const Explanation::Choice& choice : explanation.grpc) {
    json.BeginObject();
    WriteEndpoint(json, choice.endpoint);
    json.Key("connected").Bool(choice.connected).Field("trouble", choice.trouble).EndObject();
  }
  json.EndArray().Key("http").BeginArray();
  for (const Endpoint& endpoint : explanation.http) {
    json.BeginObject();
    WriteEndpoint(json, endpoint);
    json.EndObject();
  }
  return json.EndArray().EndObject().Take();
}

void RegisterDiscoverApi(Directory& directory, HttpRouter& router) {
  router.Add(
      "GET",
      "/api/v1/discover",
      [&directory](const std::shared_ptr<net::HttpCall>& call, const std::string&) {
        const StatusOr<std::string> target = TargetOf(call->request().Param("name").value_or(""));
        if (!target.ok()) {
          net::HttpResponse refusal = HttpError(target.status());
          refusal.status = 400;
          return call->Respond(std::move(refusal));
        }
        Explain(directory, call->loop(), *target, kPatience, [call](const Explanation& found) {
          net::HttpResponse response;
          response.body = ExplanationJson(found);
          call->Respond(std::move(response));
        });
      });
}

int RunDiscover(const MicroServiceConfig& config, const std::string& name) {
  const StatusOr<RegistryTarget> registry = OwnRegistry(config);
  const StatusOr<std::string> target = TargetOf(name);
  for (const Status& status : {registry.status(), target.status()}) {
    if (status.ok()) continue;
    std::fputs(Cat("troth discover: ", Message(status), '\n').c_str(), stderr);
    return 1;
  }
  net::Loop loop;
  Directory directory(loop, *registry);
  std::optional<Explanation> found;
  loop.Post([&] {
    Explain(directory, loop, *target, kPatience, [&](Explanation explanation) {
      found = std::move(explanation);
      loop.Stop();
    });
  });
  loop.Run();
  std::fputs(DescribeExplanation(*found).c_str(), stdout);
  return HasEndpoint(*found) ? 0 : 1;
}

}  // namespace troth
