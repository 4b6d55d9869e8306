#include "api/http_router.h"

#include <gtest/gtest.h>

#include <optional>

namespace troth {
namespace {

// An exchange whose answer the test looks at; no socket, no loop.
class RecordedCall final : public net::HttpCall {
 public:
  RecordedCall(std::string method, std::string path, std::string query = "") {
    request_.method = std::move(method);
    request_.path = std::move(path);
    request_.query = std::move(query);
  }
  const net::HttpRequest& request() const override { return request_; }
  net::Loop& loop() override { return loop_; }
  bool cancelled() const override { return false; }
  void Respond(net::HttpResponse response) override { answer = std::move(response); }
  void StartStream(net::HttpResponse) override {}
  void WriteChunk(std::string_view) override {}
  void EndStream() override {}
  size_t unsent_bytes() const override { return 0; }
  void OnWritable(std::function<void()>) override {}
  void OnGone(std::function<void()>) override {}

  std::optional<net::HttpResponse> answer;

 private:
  net::HttpRequest request_;
  net::Loop loop_;
};

HttpRouter MakeRouter() {
  const auto say = [](std::string text) {
    return [text](std::shared_ptr<net::HttpCall> call, const std::string& segment) {
      net::HttpResponse response;
      response.body = text + segment;
      call->Respond(response);
    };
  };
  HttpRouter router;
  router.Add("*", "/api/ping", say("pong"));
  router.Add("POST", "/api/submit", say("submitted"));
  router.Add("DELETE", "/api/topic/*", say("deleted "));
  return router;
}

net::HttpResponse Serve(std::string method, std::string path, std::string query = "") {
  auto call = std::make_shared<RecordedCall>(std::move(method), std::move(path), std::move(query));
  MakeRouter().Serve(call);
  EXPECT_TRUE(call->answer.has_value());
  return call->answer.value_or(net::HttpResponse{});
}

TEST(HttpRouter, ServesExactPathsAndAnyMethodWhereAsked) {
  EXPECT_EQ(Serve("POST", "/api/submit").body, "submitted");
  EXPECT_EQ(Serve("GET", "/api/ping").body, "pong");
  EXPECT_EQ(Serve("DELETE", "/api/ping").body, "pong");
}

TEST(HttpRouter, AnswersAWrongMethodLikeAnUnknownPath) {
  for (const auto& [method, path] : {std::pair("GET", "/api/submit"),
                                     std::pair("GET", "/nope"),
                                     std::pair("OPTIONS", "/api/submit")}) {
    const net::HttpResponse response = Serve(method, path);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.body, "404 page not found");
    EXPECT_EQ(response.content_type, "text/plain");
  }
}

TEST(HttpRouter, RedirectsATrailingSlash) {
  const net::HttpResponse post = Serve("POST", "/api/submit/", "a=1");
  EXPECT_EQ(post.status, 307);
  EXPECT_EQ(net::FindHeader(post.headers, "location"), "/api/submit?a=1");
  EXPECT_EQ(Serve("GET", "/api/ping/").status, 301);
}

TEST(HttpRouter, DecodesTheLastSegment) {
  EXPECT_EQ(Serve("DELETE", "/api/topic/a%20b").body, "deleted a b");
  EXPECT_EQ(Serve("DELETE", "/api/topic/").status, 404);
  EXPECT_EQ(Serve("DELETE", "/api/topic/%zz").status, 404);
}

}  // namespace
}  // namespace troth
