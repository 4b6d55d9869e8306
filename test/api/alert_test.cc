// AlertWebHook: what it is told, and when.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_server.h"

namespace troth {
namespace {

using ::testing::HasSubstr;

TEST(AlertWebHook, IsToldOfABranchThatKeepsFailing) {
  TestService service;
  service.Answer("/a", 500, "oops");
  TestServer server({{"ALERT_WEB_HOOK", service.url("/alert")}, {"ALERT_RETRY_LIMIT", "1"}});
  server.Post("/api/dtmsvr/submit", TransBody("g1", "msg", {service.url("/a")}));
  ASSERT_TRUE(net::Eventually([&] { return service.Calls("/alert") == 1; }));
  const std::string body = service.LastBody("/alert");
  EXPECT_THAT(body, HasSubstr("{\"branch\":\"" + service.url("/a") + "\",\"error\":\""));
  EXPECT_THAT(body, HasSubstr("oops\",\"gid\":\"g1\",\"retry_count\":1,\"status\":\"submitted\"}"));
}

TEST(AlertWebHook, IsNotToldBeforeTheLimitNorOfOngoing) {
  TestService service;
  service.Answer("/a", 500, "oops");
  service.Answer("/b", 425, "ONGOING");
  TestServer server({{"ALERT_WEB_HOOK", service.url("/alert")}, {"ALERT_RETRY_LIMIT", "2"}});
  server.Post("/api/dtmsvr/submit", TransBody("g1", "msg", {service.url("/a")}));
  server.Post("/api/dtmsvr/submit", TransBody("g2", "msg", {service.url("/b")}));
  EXPECT_EQ(service.Calls("/alert"), 0);
}

TEST(AlertWebHook, ThatIsDownDoesNotStopTheServer) {
  TestService service;
  service.Answer("/a", 500, "oops");
  TestServer server({{"ALERT_WEB_HOOK", "http://127.0.0.1:1/x"}, {"ALERT_RETRY_LIMIT", "0"}});
  server.Post("/api/dtmsvr/submit", TransBody("g1", "msg", {service.url("/a")}));
  EXPECT_EQ(server.Get("/api/ready").status, 200);
}

}  // namespace
}  // namespace troth
