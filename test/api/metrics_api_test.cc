// GET /api/metrics of a server that has worked: dtm's names and labels, and ours.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_server.h"

namespace troth {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// The samples of one family begin with its name.
std::vector<std::string> LinesOf(const std::string& text, const std::string& name) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    if (line.starts_with(name)) lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

class MetricsApiTest : public ::testing::Test {
 protected:
  std::string Metrics() {
    net::HttpClientResponse answer = server_.Get("/api/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(net::FindHeader(answer.headers, "content-type"),
              "text/plain; version=0.0.4; charset=utf-8");
    return answer.body;
  }

  TestService service_;
  TestServer server_;
};

TEST_F(MetricsApiTest, CountsRequestsByRouteNotByUri) {
  server_.Get("/api/dtmsvr/newGid?a=1");
  server_.Get("/api/dtmsvr/query?gid=x");
  server_.Get("/api/dtmsvr/query");
  server_.Get("/nowhere/at/all");
  server_.Get("/api/ping");
  server_.CallGrpc("NewGid", "");
  const std::string text = Metrics();
  const std::string name = "dtm_server_process_total{type=";
  EXPECT_THAT(text, HasSubstr(name + R"("http",api="newgid",status="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(name + R"("http",api="query",status="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(name + R"("http",api="query",status="fail"} 1)"));
  EXPECT_THAT(text, HasSubstr(name + R"("http",api="other",status="fail"} 1)"));
  EXPECT_THAT(text, HasSubstr(name + R"("grpc",api="newgid",status="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(dtm_server_response_duration_count{type="http",api="newgid"} 1)"));
  EXPECT_THAT(text, Not(HasSubstr("ping")));
  EXPECT_THAT(text, Not(HasSubstr("nowhere")));
}

TEST_F(MetricsApiTest, CountsPassesBranchesAndEnds) {
  const std::string body = TransBody("m1", "saga", {service_.url("/a"), service_.url("/b")});
  service_.Answer("/b", 409, "FAILURE");
  EXPECT_EQ(server_.Post("/api/dtmsvr/submit", body).status, 409);
  server_.GetUntil("/api/dtmsvr/query?gid=m1", R"("status":"failed")");
  const std::string text = server_.GetUntil(
      "/api/metrics", R"(troth_transaction_duration_count{model="saga",status="failed"} 1)");
  EXPECT_THAT(text, HasSubstr(R"(dtm_transaction_process_total{model="saga",status="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(dtm_transaction_handled_duration_count{model="saga"} 1)"));
  EXPECT_THAT(text,
              HasSubstr("dtm_branch_process_total{model=\"saga\",branchid=\"02\","
                        "branchtype=\"action\",status=\"fail\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("dtm_branch_process_total{model=\"saga\",branchid=\"01\","
                        "branchtype=\"compensate\",status=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("troth_endpoint_up{endpoint=\"" + service_.url("") + "\"} 1\n"));
}

TEST_F(MetricsApiTest, TellsWhatWaitsAndHowTheStoreDoes) {
  service_.Answer("/slow", 425);
  server_.Post("/api/dtmsvr/submit", TransBody("m1", "msg", {service_.url("/slow")}));
  // The client has its answer a moment before the shard says what it has left.
  const std::string text = server_.GetUntil("/api/metrics", "troth_in_flight 0\n");
  EXPECT_THAT(text, HasSubstr("troth_unfinished 1\n"));
  EXPECT_THAT(text, HasSubstr("troth_in_flight 0\n"));
  for (const char* queue : {"inbox", "store_writer", "store_readers"}) {
    EXPECT_THAT(text, HasSubstr(std::string("troth_queue_depth{queue=\"") + queue + "\"} 0\n"));
  }
  EXPECT_THAT(text, HasSubstr("troth_store_commit_saves_count 2\n"));
  EXPECT_THAT(text, HasSubstr("troth_store_commit_duration_count 2\n"));
  EXPECT_THAT(LinesOf(text, "troth_oldest_unfinished_seconds"),
              ::testing::ElementsAre(
                  MatchesRegex("troth_oldest_unfinished_seconds 0\\.[0-9]+|.* [1-9].*")));
  EXPECT_THAT(text, HasSubstr("dtm_server_info{"));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
}

}  // namespace
}  // namespace troth
