#include "server/http_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cctype>
#include <set>
#include <string>

#include "api/http_openapi_api.h"
#include "base/text.h"
#include "store/memory_store.h"

namespace troth {
namespace {

namespace json = boost::json;

// Never called: nothing runs here.
class NoCaller final : public BranchCaller {
 public:
  void Start(const Call&, CallSink&) override {}
};

std::set<std::string> RoutesOfRouter() {
  net::Loop loop;
  NoCaller caller;
  MemoryStore store;
  const SystemClock clock{};
  TransactionManager manager({}, {{&loop, &caller}}, store, clock, {});
  Topics topics;
  ApiMetrics metrics({&loop});
  ApiContext context{
      .manager = manager, .topics = topics, .metrics = metrics, .clock = clock, .limits = {}};
  const std::atomic<bool> draining = false;
  HttpRouter router;
  Directory directory(loop, RegistryTarget{});
  Watchers watchers;
  RegisterHttpRoutes(context,
                     {.loops = {&loop},
                      .metrics = {},
                      .directory = directory,
                      .watchers = watchers,
                      .draining = draining},
                     router);
  std::set<std::string> routes;
  for (std::string& route : router.Routes()) {
    // The file has no word for "any method".
    if (route.starts_with('*')) route = Cat("GET", route.substr(1));
    routes.insert(std::move(route));
  }
  return routes;
}

// "/api/v1/transactions/{gid}/wait" -> "/api/v1/transactions/*/wait"
std::string AsRoute(std::string path) {
  const size_t open = path.find('{');
  if (open != path.npos) path.replace(open, path.find('}') + 1 - open, "*");
  return path;
}

std::set<std::string> RoutesOfFile() {
  std::set<std::string> routes;
  const json::value file = json::parse(OpenApiJson());
  for (const auto& [path, operations] : file.at("paths").as_object()) {
    for (const auto& operation : operations.as_object()) {
      std::string method(operation.key());
      for (char& letter : method) letter = static_cast<char>(std::toupper(letter));
      routes.insert(Cat(method, " ", AsRoute(std::string(path))));
    }
  }
  return routes;
}

// Calls check("#/components/...") for every reference below `value`.
template <typename Check>
void ForEachReference(const json::value& value, const Check& check) {
  if (const json::array* const array = value.if_array()) {
    for (const json::value& one : *array) ForEachReference(one, check);
  }
  const json::object* const object = value.if_object();
  if (object == nullptr) return;
  for (const auto& [key, below] : *object) {
    if (key == "$ref") check(std::string(below.as_string()));
    ForEachReference(below, check);
  }
}

TEST(OpenApi, DescribesEveryRouteAndNoOther) { EXPECT_EQ(RoutesOfFile(), RoutesOfRouter()); }

TEST(OpenApi, EveryReferenceIsThere) {
  const json::value file = json::parse(OpenApiJson());
  EXPECT_EQ(file.at("openapi").as_string(), "3.1.0");
  ForEachReference(file, [&file](const std::string& reference) {
    json::error_code error;
    ASSERT_THAT(reference, ::testing::StartsWith("#/"));
    EXPECT_NE(file.find_pointer(reference.substr(1), error), nullptr) << reference;
  });
}

}  // namespace
}  // namespace troth
