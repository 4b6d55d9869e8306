// GET /api/ready while a server works and while it drains.

#include <gtest/gtest.h>

#include "api/test_server.h"

namespace troth {
namespace {

TEST(ReadyApi, AnswersWhenTheStoreAndEveryLoopDo) {
  TestServer server;
  const net::HttpClientResponse answer = server.Get("/api/ready");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"ready":true})");
}

TEST(ReadyApi, NeverSaysReadyAgainOnceTheServerDrains) {
  TestServer server;
  ASSERT_EQ(server.Get("/api/ready").status, 200);
  server.Stop();
  // 503 as long as the listener is open, nothing after.
  ASSERT_TRUE(net::Eventually([&] {
    const int status = server.Get("/api/ready").status;
    return status == 503 || status == 0;
  }));
  EXPECT_NE(server.Get("/api/ready").status, 200);
}

}  // namespace
}  // namespace troth
