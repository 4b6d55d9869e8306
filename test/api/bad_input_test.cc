// Bad input to every HTTP route, JSON-RPC method and gRPC method: each is refused with the status
// and a text that fits, nothing is written, and the server serves on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_server.h"
#include "base/text.h"
#include "dtmgimp.pb.h"
#include "engine/limits.h"

namespace troth {
namespace {

using ::testing::HasSubstr;

class BadInputTest : public ::testing::Test {
 protected:
  // Nothing was stored by what came before, and the server is well.
  void TearDown() override {
    EXPECT_THAT(server_.Get("/api/dtmsvr/all").body, HasSubstr(R"("transactions":[])"));
    EXPECT_EQ(server_.Get("/api/dtmsvr/scanKV?cat=topics").body, R"({"kv":[],"next_position":""})");
    EXPECT_EQ(server_.Get("/api/ready").status, 200);
  }

  TestServer server_;
};

struct HttpCase {
  const char* method;
  std::string path;
  std::string body;
  int status;
  std::string text;  // part of the answer
};

std::vector<HttpCase> HttpCases() {
  std::vector<HttpCase> cases = {
      {"POST", "/api/dtmsvr/registerBranch", "", 400, "EOF"},
      {"POST", "/api/dtmsvr/registerBranch", R"({"gid":1})", 400, "message"},
      {"POST", "/api/dtmsvr/registerXaBranch", "[]", 400, "message"},
      {"POST", "/api/dtmsvr/registerTccBranch", "{", 400, "message"},
      {"POST",
       "/api/dtmsvr/registerBranch",
       R"({"gid":"no","trans_type":"tcc","branch_id":"01"})",
       409,
       "no trans with gid: no status: prepared found FAILURE"},
      {"POST",
       "/api/dtmsvr/registerBranch",
       R"({"gid":"no","trans_type":"nope"})",
       500,
       "unknow trans type: nope"},
      {"GET", "/api/dtmsvr/query", "", 500, "no gid specified"},
      {"GET", "/api/dtmsvr/query?gid=no", "", 200, R"("transaction":null)"},
      {"GET", "/api/dtmsvr/all?limit=0", "", 500, "limit is 0"},
      {"GET", "/api/dtmsvr/all?limit=x", "", 500, "convert to int error: x"},
      {"GET", "/api/dtmsvr/all?status=nope", "", 500, "unknown status 'nope'"},
      {"GET", "/api/dtmsvr/all?transType=nope", "", 500, "unknown transType 'nope'"},
      {"GET", "/api/dtmsvr/all?createTimeStart=-1", "", 500, "milliseconds since 1970"},
      {"GET", "/api/dtmsvr/all?position=nope", "", 500, "not a position"},
      {"GET", "/api/dtmsvr/resetCronTime?timeout=-1", "", 500, "timeout must be between"},
      {"GET", "/api/dtmsvr/resetCronTime?limit=99999", "", 500, "limit is 99999"},
      {"GET", "/api/dtmsvr/subscribe", "", 500, "empty topic"},
      {"GET", "/api/dtmsvr/subscribe?topic=t", "", 500, "empty url"},
      {"GET", "/api/dtmsvr/unsubscribe?topic=t&url=u", "", 500, "no such a topic"},
      {"DELETE", "/api/dtmsvr/topic/t", "", 500, "storage: NotFound"},
      {"DELETE", "/api/dtmsvr/topic/", "", 404, "404 page not found"},
      {"GET", "/api/dtmsvr/scanKV?limit=-1", "", 500, "limit is -1"},
      {"POST", "/api/dtmsvr/newGid", "", 404, "404 page not found"},
      {"GET", "/api/dtmsvr/submit", "", 404, "404 page not found"},
      {"POST", "/api/metrics", "", 404, "404 page not found"},
      {"PUT", "/api/ready", "", 404, "404 page not found"},
      {"POST", "/api/dtmsvr/version", "", 404, "404 page not found"},
  };
  for (const char* route : {"prepare", "submit", "prepareWorkflow"}) {
    const std::string path = Cat("/api/dtmsvr/", route);
    const auto add = [&](std::string body, std::string text) {
      cases.push_back({"POST", path, std::move(body), 500, std::move(text)});
    };
    add("", "unexpected end of JSON input");
    add("{", "message");
    add("[1]", "message");
    add(R"({"gid":7,"trans_type":"msg"})", "gid");
    add(R"({"trans_type":"msg"})", "gid is empty");
    add(R"({"gid":"g"})", "unknown trans_type ''");
    add(R"({"gid":"g","trans_type":"nope"})", "unknown trans_type 'nope'");
    add(R"({"gid":"g","trans_type":"saga","protocol":"soap"})", "unknown protocol 'soap'");
    add(R"({"gid":"g","trans_type":"saga","steps":{}})", "steps");
    add(R"({"gid":"g","trans_type":"saga","steps":[{"action":1}]})", "steps");
    add(R"({"gid":"g","trans_type":"saga","steps":[{"action":"http://a"}]})", "payloads");
    add(R"({"gid":"g","trans_type":"msg","timeout_to_fail":-1})", "timeout_to_fail is -1");
    add(R"({"gid":"g","trans_type":"msg","retry_interval":"1"})", "retry_interval");
    add(R"({"gid":"g","trans_type":"msg","branch_headers":{"a b":"c"}})", "not a header name");
    add(R"({"gid":"g","trans_type":"msg","steps":[{"action":"topic://none"}],"payloads":[""]})",
        "topic not found");
  }
  for (const char* route : {"abort", "forceStop", "resetNextCronTime"}) {
    const std::string path = Cat("/api/dtmsvr/", route);
    cases.push_back({"POST", path, "", 500, "unexpected end of JSON input"});
    cases.push_back({"POST", path, "{}", 500, "gid is empty"});
    cases.push_back({"POST", path, R"({"gid":"no"})", 500, "no"});
    cases.push_back(
        {"POST", path, R"({"gid":"no","trans_type":"nope"})", 500, "unknown trans_type"});
  }
  return cases;
}

TEST_F(BadInputTest, OverHttpIsRefusedByEveryRoute) {
  for (const HttpCase& one : HttpCases()) {
    const net::HttpClientResponse answer = server_.Send(one.method, one.path, one.body);
    EXPECT_EQ(answer.status, one.status) << one.method << " " << one.path << " " << one.body << "\n"
                                         << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(one.text))
        << one.method << " " << one.path << " " << one.body;
  }
}

TEST_F(BadInputTest, PastALimitIsRefusedEarlyAndNamesTheLimit) {
  const Limits limits;
  const auto submit = [this](const std::string& body) {
    return server_.Post("/api/dtmsvr/submit", body);
  };
  const std::string long_gid(limits.gid_bytes_max + 1, 'g');
  EXPECT_THAT(submit(TransBody(long_gid, "msg", {"http://a"})).body,
              HasSubstr(Cat("at most ", limits.gid_bytes_max, " are accepted")));
  const std::string long_url = "http://a/" + std::string(limits.url_bytes_max, 'u');
  EXPECT_THAT(submit(TransBody("g", "msg", {long_url})).body,
              HasSubstr(Cat("at most ", limits.url_bytes_max, " are accepted")));
  const std::vector<std::string> many(limits.branches_max + 1, "http://a");
  EXPECT_THAT(submit(TransBody("g", "msg", many)).body,
              HasSubstr(Cat("at most ", limits.branches_max, " are accepted")));
  EXPECT_EQ(submit(std::string((4 << 20) + 1, ' ')).status, 413);
  EXPECT_EQ(server_.Get("/api/ping?" + std::string(20 << 10, 'a')).status, 431);
}

TEST_F(BadInputTest, OverJsonRpcIsAnErrorOfItsCode) {
  const auto call = [](std::string_view method, std::string_view params) {
    return Cat(R"({"jsonrpc":"2.0","id":"1","method":")", method, R"(","params":)", params, "}");
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "-32700"},
      {"{", "-32700"},
      {"[]", "-32700"},
      {"{}", "-32600"},
      {R"({"jsonrpc":"1.0","id":"1","method":"newGid"})", "-32600"},
      {R"({"jsonrpc":"2.0","id":"1","method":7})", "-32600"},
      {call("nope", "{}"), "-32601"},
      {call("prepare", "{}"), "-32603"},
      {call("prepare", "[]"), "-32603"},
      {call("submit", R"({"gid":7})"), "-32603"},
      {call("submit", R"({"gid":"g","trans_type":"nope"})"), "-32603"},
      {call("abort", R"({"gid":"no","trans_type":"tcc"})"), "-32603"},
      {call("registerBranch", R"({"gid":"no","trans_type":"tcc"})"), "-32901"},
      {call("registerBranch", R"({"gid":1})"), "-32603"},
  };
  for (const auto& [body, code] : cases) {
    const net::HttpClientResponse answer = server_.Post("/api/json-rpc", body);
    EXPECT_THAT(answer.body, HasSubstr(Cat(R"("code":)", code))) << body;
    EXPECT_THAT(answer.body, HasSubstr(R"("result":null)")) << body;
  }
}

TEST_F(BadInputTest, OverJsonRpcIsRefusedByEveryMethod) {
  for (const char* method : {"prepare", "submit", "abort", "registerBranch"}) {
    for (const char* params : {"[]",
                               "7",
                               "{}",
                               R"({"gid":7})",
                               R"({"gid":"","trans_type":"tcc"})",
                               R"({"gid":"no","trans_type":"nope"})",
                               R"({"gid":"no","trans_type":5})"}) {
      const std::string body =
          Cat(R"({"jsonrpc":"2.0","id":1,"method":")", method, R"(","params":)", params, "}");
      EXPECT_THAT(server_.Post("/api/json-rpc", body).body, HasSubstr(R"("error":{"code":-32)"))
          << body;
    }
  }
}

TEST_F(BadInputTest, OverGrpcIsRefusedByEveryMethod) {
  const std::string broken = "\x0a\xff";
  for (const char* method : {"Submit",
                             "Prepare",
                             "Abort",
                             "PrepareWorkflow",
                             "RegisterBranch",
                             "Subscribe",
                             "Unsubscribe",
                             "DeleteTopic"}) {
    EXPECT_EQ(server_.CallGrpc(method, broken).status.code, net::GrpcCode::kInternal) << method;
    EXPECT_FALSE(server_.CallGrpc(method, "").status.ok()) << method;
  }
  EXPECT_EQ(server_.CallGrpc("Nope", "").status.code, net::GrpcCode::kUnimplemented);
  dtmgimp::DtmRequest request;
  request.set_gid("g");
  request.set_transtype("msg");
  request.set_steps("{");
  EXPECT_EQ(server_.CallGrpc("Submit", request.SerializeAsString()).status.code,
            net::GrpcCode::kInternal);
  request.set_steps("");
  request.add_binpayloads(std::string(5 << 20, 'x'));
  EXPECT_EQ(server_.CallGrpc("Submit", request.SerializeAsString()).status.code,
            net::GrpcCode::kResourceExhausted);
}

}  // namespace
}  // namespace troth
