// /api/v1 over a server with transactions in every state.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_server.h"

namespace troth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class V1ApiTest : public ::testing::Test {
 protected:
  void Submit(std::string_view gid, std::string_view type, std::string_view path) {
    server_.Post("/api/dtmsvr/submit", TransBody(gid, type, {service_.url(path)}));
  }

  // A connection that has read the first event, which tells "submitted".
  net::RawSocket OpenEvents(const std::string& gid) {
    net::RawSocket client = net::RawSocket::Connect(server_.http_port());
    EXPECT_TRUE(
        client.Send("GET /api/v1/transactions/" + gid + "/events HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("text/event-stream"));
    EXPECT_THAT(
        client.ReadUntil("\n\n"),
        HasSubstr("event: status\ndata: {\"gid\":\"" + gid + "\",\"status\":\"submitted\""));
    return client;
  }

  TestService service_;
  TestServer server_;
};

TEST_F(V1ApiTest, FindsByStatusTypeEndpointAndError) {
  service_.Answer("/no", 409, "no money FAILURE");
  service_.Answer("/busy", 425);
  Submit("done", "msg", "/yes");
  Submit("refused", "saga", "/no");
  Submit("open", "msg", "/busy");
  server_.GetUntil("/api/v1/transactions/refused", R"("status":"failed")");
  const auto find = [this](const std::string& query) {
    return server_.Get("/api/v1/transactions?" + query).body;
  };
  for (const auto& [query, gid] : {std::pair("status=succeed", "done"),
                                   std::pair("type=saga", "refused"),
                                   std::pair("endpoint=/busy", "open"),
                                   std::pair("error=no%20money", "refused")}) {
    const std::string body = find(query);
    for (const std::string one : {"done", "refused", "open"}) {
      const std::string text = "\"gid\":\"" + one + "\"";
      if (one == gid) {
        EXPECT_THAT(body, HasSubstr(text)) << query;
      } else {
        EXPECT_THAT(body, Not(HasSubstr(text))) << query;
      }
    }
  }
  EXPECT_THAT(find("created_to=2020-01-01T00:00:00Z"), HasSubstr(R"("transactions":[])"));
}

TEST_F(V1ApiTest, FindsByTheErrorOfACall) {
  service_.Answer("/busy", 500, "no disk");
  Submit("open", "msg", "/busy");
  EXPECT_THAT(server_.GetUntil("/api/v1/transactions?error=no%20disk", R"("gid")"),
              HasSubstr(R"("gid":"open")"));
}

TEST_F(V1ApiTest, PagesDoNotShiftWhenTransactionsAreAdded) {
  Submit("g1", "msg", "/a");
  Submit("g2", "msg", "/a");
  const std::string first = server_.Get("/api/v1/transactions?limit=1").body;
  EXPECT_THAT(first, HasSubstr(R"("gid":"g2")"));
  const size_t begin = first.find(R"("next_cursor":")") + 15;
  const std::string cursor = first.substr(begin, first.find('"', begin) - begin);
  Submit("g3", "msg", "/a");
  EXPECT_THAT(server_.Get("/api/v1/transactions?limit=1&cursor=" + cursor).body,
              HasSubstr(R"("gid":"g1")"));
}

TEST_F(V1ApiTest, WaitsForTheEndAndTellsWhyItFailed) {
  service_.Answer("/no", 409, "no money FAILURE");
  Submit("refused", "saga", "/no");
  const net::HttpClientResponse answer = server_.Get("/api/v1/transactions/refused/wait");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("status":"failed","final":true,"error":")"));
  EXPECT_THAT(answer.body, HasSubstr("no money"));
}

TEST_F(V1ApiTest, WaitEndsWithTheTimeout) {
  service_.Answer("/busy", 425);
  Submit("open", "msg", "/busy");
  const net::HttpClientResponse answer = server_.Get("/api/v1/transactions/open/wait?timeout=0");
  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.body, HasSubstr(R"("final":false)"));
}

TEST_F(V1ApiTest, EventsTellEachStatusUntilTheEnd) {
  service_.Answer("/busy", 425);
  Submit("open", "msg", "/busy");
  net::RawSocket client = OpenEvents("open");
  service_.Answer("/busy", 200);
  ASSERT_EQ(server_.Post("/api/v1/transactions/open/retry", "").status, 200);
  EXPECT_THAT(client.ReadUntil("0\r\n\r\n"), HasSubstr(R"("status":"succeed","final":true)"));
}

TEST_F(V1ApiTest, EventsTellAChangeBeforeTheEnd) {
  service_.Answer("/busy", 425);
  service_.Answer("/busyUndo", 425);
  Submit("open", "saga", "/busy");
  net::RawSocket client = OpenEvents("open");
  service_.Answer("/busy", 409);
  ASSERT_EQ(server_.Post("/api/v1/transactions/open/retry", "").status, 200);
  EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr(R"("status":"aborting","final":false)"));
  service_.Answer("/busyUndo", 200);
  // A retry does nothing while the first call of /busyUndo goes on, which may have been told 425.
  // 200 is for a transaction that has ended; its branches are "failed" before that.
  EXPECT_TRUE(net::Eventually([&] {
    server_.Post("/api/v1/transactions/open/retry", "");
    return server_.Get("/api/v1/transactions/open/wait?timeout=0").status == 200;
  }));
  EXPECT_THAT(client.ReadUntil("0\r\n\r\n"), HasSubstr(R"("status":"failed","final":true)"));
}

TEST_F(V1ApiTest, EventsEndWhenTheServerDrains) {
  service_.Answer("/busy", 425);
  Submit("open", "msg", "/busy");
  net::RawSocket client = OpenEvents("open");
  server_.Stop();
  EXPECT_THAT(client.ReadAll(), HasSubstr("0\r\n\r\n"));
}

TEST_F(V1ApiTest, EventsOfAnEndedTransactionAreOne) {
  Submit("done", "msg", "/yes");
  server_.GetUntil("/api/v1/transactions/done", R"("status":"succeed")");
  const net::HttpClientResponse answer = server_.Get("/api/v1/transactions/done/events");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "event: status\ndata: {\"gid\":\"done\",\"status\":\"succeed\",\"final\":true,"
            "\"error\":\"\",\"result\":\"\"}\n\n");
}

TEST_F(V1ApiTest, ShowsCallsThatWereNoSuccess) {
  service_.Answer("/busy", 500, "no disk");
  Submit("open", "msg", "/busy");
  EXPECT_THAT(server_.GetUntil("/api/v1/transactions/open", "no disk"),
              AllOf(HasSubstr(R"("attempts":[{"branch_id":"01","op":"action","time":")"),
                    HasSubstr(R"("outcome":"unknown","latency_ms":)"),
                    HasSubstr(R"("next_try":")")));
}

TEST_F(V1ApiTest, RetryMakesATransactionDueNow) {
  service_.Answer("/busy", 425);
  Submit("open", "msg", "/busy");
  service_.Answer("/busy", 200);
  EXPECT_EQ(server_.Post("/api/v1/transactions/open/retry", "").status, 200);
  EXPECT_EQ(server_.Get("/api/v1/transactions/open/wait?timeout=8").status, 200);
}

TEST_F(V1ApiTest, StopEndsATransaction) {
  service_.Answer("/busy", 425);
  Submit("a/b", "msg", "/busy");
  EXPECT_EQ(server_.Post("/api/v1/transactions/a%2Fb/stop", "").status, 200);
  EXPECT_THAT(server_.Get("/api/v1/transactions/a%2Fb").body, HasSubstr(R"("status":"failed")"));
}

TEST_F(V1ApiTest, RefusesBadInput) {
  EXPECT_EQ(server_.Get("/api/v1/transactions/none").status, 404);
  EXPECT_EQ(server_.Get("/api/v1/transactions/none/wait").status, 404);
  EXPECT_EQ(server_.Get("/api/v1/transactions/none/events").status, 404);
  EXPECT_EQ(server_.Post("/api/v1/transactions/none/retry", "").status, 404);
  EXPECT_EQ(server_.Post("/api/v1/transactions/none/stop", "").status, 404);
  for (const char* query :
       {"status=x", "type=x", "limit=0", "limit=1001", "created_from=x", "cursor=x"}) {
    EXPECT_EQ(server_.Get(std::string("/api/v1/transactions?") + query).status, 400) << query;
  }
  EXPECT_EQ(server_.Get("/api/v1/transactions/none/wait?timeout=61").status, 400);
}

}  // namespace
}  // namespace troth
