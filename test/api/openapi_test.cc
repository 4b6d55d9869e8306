// docs/openapi.json tells what the server does: every route is asked for what it gives and with
// everything bad its description suggests, and every answer is held against the description.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>

#include "api/http_openapi_api.h"
#include "api/json_schema.h"
#include "api/test_server.h"
#include "base/text.h"

namespace troth {
namespace {

namespace json = boost::json;
using ::testing::IsEmpty;

std::string Upper(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::toupper(letter));
  return text;
}

// "/a/{x}/b" describes "/a/anything/b".
bool Describes(std::string_view pattern, std::string_view path) {
  const auto wanted = Split(pattern, '/');
  const auto parts = Split(path, '/');
  if (wanted.size() != parts.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!wanted[i].starts_with('{') && wanted[i] != parts[i]) return false;
  }
  return true;
}

struct Operation {
  std::string method;
  std::string path;  // with {name} in it
  const json::object* description = nullptr;

  // The path with a value in place of each name.
  std::string PathWith(std::string_view value) const {
    const size_t open = path.find('{');
    if (open == path.npos) return path;
    return Cat(path.substr(0, open), value, path.substr(path.find('}') + 1));
  }
};

class OpenApiTest : public ::testing::Test {
 protected:
  OpenApiTest() {
    for (const auto& [path, methods] : file_.at("paths").as_object()) {
      for (const auto& [method, description] : methods.as_object()) {
        operations_.push_back(
            {Upper(std::string(method)), std::string(path), &description.as_object()});
      }
    }
  }

  const Operation* Find(std::string_view method, std::string_view path) const {
    const std::string_view plain = path.substr(0, path.find('?'));
    const Operation* found = nullptr;
    for (const Operation& one : operations_) {
      if (one.method != method || !Describes(one.path, plain)) continue;
      if (found == nullptr || one.path == plain) found = &one;
    }
    return found;
  }

  // Asks, and holds the answer against the description.
  net::HttpClientResponse Ask(const std::string& method,
                              const std::string& path,
                              const std::string& body = "") {
    const net::HttpClientResponse answer = server_.Send(method, path, body);
    const Operation* const operation = Find(method, path);
    const std::string what = Cat(method, " ", path, " ", body.substr(0, 200));
    if (operation == nullptr) {
      ADD_FAILURE() << what << " is not described";
      return answer;
    }
    asked_.insert(Cat(method, " ", operation->path));
    CheckAnswer(*operation, answer, what);
    return answer;
  }

  void CheckAnswer(const Operation& operation,
                   const net::HttpClientResponse& answer,
                   const std::string& what) const {
    const json::object& responses = operation.description->at("responses").as_object();
    const json::value* const described = responses.if_contains(std::to_string(answer.status));
    if (described == nullptr) {
      ADD_FAILURE() << what << ": status " << answer.status << " is not described: " << answer.body;
      return;
    }
    const json::object& response = schemas_.Resolve(*described).as_object();
    const json::value* const content = response.if_contains("content");
    if (content == nullptr) {
      EXPECT_EQ(answer.body, "") << what;
      return;
    }
    const json::value* const as_json = content->as_object().if_contains("application/json");
    if (as_json == nullptr) return;  // text for people or Prometheus
    json::error_code error;
    const json::value body = json::parse(answer.body, error);
    ASSERT_FALSE(error) << what << ": not JSON: " << answer.body;
    if (!as_json->as_object().contains("schema")) return;
    EXPECT_THAT(schemas_.Problems(as_json->at("schema"), body), IsEmpty())
        << what << ": " << answer.status << " " << answer.body;
  }

  // The parameters of an operation that stand in its query.
  std::vector<const json::object*> QueryOf(const Operation& operation) const {
    std::vector<const json::object*> parameters;
    const json::value* const list = operation.description->if_contains("parameters");
    if (list == nullptr) return parameters;
    for (const json::value& one : list->as_array()) {
      const json::object& parameter = schemas_.Resolve(one).as_object();
      if (parameter.at("in").as_string() == "query") parameters.push_back(&parameter);
    }
    return parameters;
  }

  const json::value file_ = json::parse(OpenApiJson());
  const JsonSchemas schemas_{file_};
  std::vector<Operation> operations_;
  std::set<std::string> asked_;
  TestService service_;
  TestServer server_;
};

// --- what the routes give

TEST_F(OpenApiTest, EveryRouteAnswersAsDescribed) {
  service_.Answer("/no", 409, "no money FAILURE");
  service_.Answer("/busy", 425);
  service_.Answer("/odd", 500, "no disk");
  const auto submit = [this](std::string_view gid, std::string_view type, std::string_view path) {
    return Ask("POST", "/api/dtmsvr/submit", TransBody(gid, type, {service_.url(path)}));
  };
  for (const char* path : {"/api/ping",
                           "/api/ready",
                           "/api/metrics",
                           "/api/v1/openapi.json",
                           "/api/dtmsvr/version",
                           "/api/dtmsvr/newGid",
                           "/api/v1/discover?name=direct:///127.0.0.1:1",
                           "/api/v1/discover"}) {
    Ask("GET", path);
  }
  submit("done", "msg", "/yes");
  submit("refused", "saga", "/no");
  submit("open", "msg", "/busy");
  submit("odd", "msg", "/odd");
  submit("done", "msg", "/yes");  // again: refused
  Ask("POST", "/api/dtmsvr/prepare", R"({"gid":"tcc","trans_type":"tcc","custom_data":"c"})");
  for (const char* route : {"registerBranch", "registerTccBranch"}) {
    Ask("POST",
        Cat("/api/dtmsvr/", route),
        Cat(R"({"gid":"tcc","trans_type":"tcc","branch_id":")",
            route,
            R"(","data":"{}","confirm":"","cancel":""})"));
  }
  Ask("POST", "/api/dtmsvr/prepare", R"({"gid":"xa","trans_type":"xa"})");
  Ask("POST",
      "/api/dtmsvr/registerXaBranch",
      R"({"gid":"xa","trans_type":"xa","branch_id":"01","url":"http://127.0.0.1:1/x"})");
  Ask("POST", "/api/dtmsvr/abort", R"({"gid":"tcc","trans_type":"tcc","rollback_reason":"r"})");
  Ask("POST", "/api/dtmsvr/forceStop", R"({"gid":"xa"})");
  Ask("POST", "/api/dtmsvr/resetNextCronTime", R"({"gid":"open"})");
  Ask("POST", "/api/dtmsvr/prepareWorkflow", R"({"gid":"wf","trans_type":"workflow"})");
  server_.GetUntil("/api/v1/transactions/refused", R"("status":"failed")");
  server_.GetUntil("/api/v1/transactions/odd", "no disk");
  for (const char* gid : {"done", "refused", "open", "odd", "tcc", "xa", "wf", "none"}) {
    Ask("GET", Cat("/api/dtmsvr/query?gid=", gid));
    Ask("GET", Cat("/api/v1/transactions/", gid));
    Ask("GET", Cat("/api/v1/transactions/", gid, "/wait?timeout=0"));
  }
  Ask("GET", "/api/v1/transactions/done/events");
  Ask("GET", "/api/v1/transactions/none/events");
  Ask("GET", "/api/dtmsvr/all?limit=3");
  Ask("GET", "/api/v1/transactions?status=failed");
  Ask("GET", "/api/dtmsvr/resetCronTime?timeout=1");
  for (const char* gid : {"open", "done", "none"}) {
    Ask("POST", Cat("/api/v1/transactions/", gid, "/retry"));
    Ask("POST", Cat("/api/v1/transactions/", gid, "/stop"));
  }
  for (const char* route : {"subscribe?topic=t&url=http://a",
                            "scanKV?cat=topics",
                            "queryKV?cat=topics&key=t",
                            "unsubscribe?topic=t&url=http://a"}) {
    Ask("GET", Cat("/api/dtmsvr/", route));
  }
  Ask("DELETE", "/api/dtmsvr/topic/t");
  Ask("DELETE", "/api/dtmsvr/topic/t");
  for (const char* body : {R"({"jsonrpc":"2.0","id":1,"method":"newGid"})",
                           R"([{"jsonrpc":"2.0","id":"a","method":"newGid"},{}])",
                           R"({"jsonrpc":"2.0","method":"newGid"})",
                           "{"}) {
    Ask("POST", "/api/json-rpc", body);
  }
  for (const Operation& one : operations_) {
    EXPECT_TRUE(asked_.contains(Cat(one.method, " ", one.path)))
        << one.method << " " << one.path << " is not asked here";
  }
}

// --- what is bad, for every route

TEST_F(OpenApiTest, EveryRouteRefusesBadBodies) {
  const std::vector<std::string> bodies = {"",
                                           "{",
                                           "[1]",
                                           "7",
                                           "null x",
                                           R"({"gid":7})",
                                           R"({"gid":{}})",
                                           R"({"gid":""})",
                                           "{\"gid\":\"\xff\"}",
                                           R"({"gid":"g","trans_type":"nope"})",
                                           R"({"gid":"g","trans_type":1})"};
  for (const Operation& one : operations_) {
    if (!one.description->contains("requestBody") || one.path == "/api/json-rpc") continue;
    for (const std::string& body : bodies) {
      EXPECT_GE(Ask(one.method, one.path, body).status, 400) << one.path << " " << body;
    }
  }
  for (const std::string& body : bodies) {  // JSON-RPC says it in the answer
    EXPECT_THAT(Ask("POST", "/api/json-rpc", body).body, ::testing::HasSubstr(R"("code":-32)"));
  }
  EXPECT_THAT(server_.Get("/api/dtmsvr/all").body, ::testing::HasSubstr(R"("transactions":[])"));
}

TEST_F(OpenApiTest, EveryRouteRefusesBadParameters) {
  for (const Operation& one : operations_) {
    const std::string path = one.PathWith("none");
    for (const json::object* const parameter : QueryOf(one)) {
      const std::string name(parameter->at("name").as_string());
      const json::object& schema = parameter->at("schema").as_object();
      const bool required = parameter->contains("required");
      const bool integer = schema.at("type").as_string() == "integer";
      const bool closed = integer || schema.contains("enum") || schema.contains("format");
      if (required) EXPECT_GE(Ask(one.method, Cat(path, "?", name, "=")).status, 400) << name;
      if (!closed) continue;
      EXPECT_GE(Ask(one.method, Cat(path, "?", name, "=nope")).status, 400) << path << " " << name;
      if (!integer) continue;
      for (const char* number : {"-1", "99999999999999999999", "1.5"}) {
        EXPECT_GE(Ask(one.method, Cat(path, "?", name, "=", number)).status, 400)
            << path << " " << name << "=" << number;
      }
    }
  }
}

TEST_F(OpenApiTest, EveryRouteRefusesOtherMethods) {
  for (const Operation& one : operations_) {
    for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH"}) {
      const std::string path = one.PathWith("x");
      if (Find(method, path) != nullptr || path == "/api/ping") continue;
      const net::HttpClientResponse answer = server_.Send(method, path, "{}");
      EXPECT_EQ(answer.status, 404) << method << " " << path;
      EXPECT_EQ(answer.body, "404 page not found") << method << " " << path;
    }
  }
}

TEST_F(OpenApiTest, EveryRouteOfATransactionAnswers404WithoutIt) {
  for (const Operation& one : operations_) {
    if (one.path.find("{gid}") == one.path.npos) continue;
    EXPECT_EQ(Ask(one.method, one.PathWith("none")).status, 404) << one.path;
  }
}

}  // namespace
}  // namespace troth
