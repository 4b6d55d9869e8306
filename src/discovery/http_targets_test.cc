// HttpTargets against real servers in this process.

#include "discovery/http_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <set>

#include "base/text.h"
#include "discovery/ejection.h"
#include "net/net_testing.h"

namespace troth {
namespace {

using testing::HasSubstr;

// Answers with its number and what it was asked.
class Answering {
 public:
  Answering(net::Loop& loop, int number)
      : server_({&loop}, net::HttpServerOptions{}, [number](std::shared_ptr<net::HttpCall> call) {
          call->Respond({.body = Cat(number, " ", call->request().target)});
        }) {
    EXPECT_TRUE(server_.Listen("127.0.0.1:0").ok());
  }
  std::string address() const { return Cat("127.0.0.1:", server_.port()); }

 private:
  net::HttpServer server_;
};

class HttpTargetsTest : public testing::Test {
 protected:
  HttpTargetsTest() {
    thread_.Do([this] {
      directory_ = std::make_unique<Directory>(thread_.loop(), RegistryTarget{});
      client_ = std::make_unique<net::HttpClient>(thread_.loop(), net::HttpClientOptions{});
      targets_ = std::make_unique<HttpTargets>(
          thread_.loop(), *directory_, *client_, HttpTargetsOptions{});
    });
  }
  ~HttpTargetsTest() override {
    thread_.Do([this] {
      targets_.reset();
      client_.reset();
      directory_.reset();
    });
  }

  StatusOr<net::HttpClientResponse> Get(const std::string& url, Duration timeout = Seconds(5)) {
    std::promise<StatusOr<net::HttpClientResponse>> answer;
    thread_.Do([&] {
      targets_->Send({.url = url, .headers = {}, .body = {}, .timeout = timeout, .connect_to = {}},
                     [&](StatusOr<net::HttpClientResponse> response) {
                       answer.set_value(std::move(response));
                     });
    });
    return answer.get_future().get();
  }
  std::string Body(const std::string& url) {
    const auto response = Get(url);
    return response.ok() ? response->body : std::string(Message(response.status()));
  }

  net::LoopThread thread_;
  Answering one_{thread_.loop(), 1};
  Answering two_{thread_.loop(), 2};
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<net::HttpClient> client_;
  std::unique_ptr<HttpTargets> targets_;
};

TEST_F(HttpTargetsTest, GoesRoundTheEndpointsOfAService) {
  const std::string url = Cat("direct:///", one_.address(), ",", two_.address(), "/api/a?x=1");
  std::map<std::string, int> bodies;
  for (int i = 0; i < 10; ++i) ++bodies[Body(url)];
  EXPECT_EQ(bodies["1 /api/a?x=1"], 5);
  EXPECT_EQ(bodies["2 /api/a?x=1"], 5);
}

TEST_F(HttpTargetsTest, LeavesOutAnEndpointThatCannotBeReached) {
  const std::string url = Cat("direct:///127.0.0.1:1,", one_.address(), "/a");
  int failures = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) failures += Get(url).ok() ? 0 : 1;
  const auto taken = std::chrono::steady_clock::now() - begin;
  int tries = 1;  // and one more after each pause that has passed
  for (Duration pause = Ejection::kPauseMin, end = pause; end <= taken; end += pause *= 2) ++tries;
  EXPECT_LE(failures, tries);
}

TEST_F(HttpTargetsTest, FindsEveryAddressOfANameInDns) {
  const std::string port = one_.address().substr(one_.address().find(':'));
  // Where localhost is ::1 as well, nobody listens there; that endpoint is left out.
  std::set<std::string> bodies;
  for (int i = 0; i < 4; ++i) bodies.insert(Body(Cat("dns:///localhost", port, "/a")));
  EXPECT_TRUE(bodies.contains("1 /a"));
}

TEST_F(HttpTargetsTest, SendsPlainUrlsWhereTheySay) {
  EXPECT_EQ(Body(Cat("http://", two_.address(), "/a")), "2 /a");
}

TEST_F(HttpTargetsTest, SaysWhyThereIsNoEndpoint) {
  EXPECT_THAT(Body("discovery:///trans/a"), HasSubstr("no registry is configured"));
  EXPECT_THAT(Body("gopher:///trans/a"), HasSubstr("unknown scheme 'gopher'"));
  EXPECT_THAT(Body("trans/a"), HasSubstr("write http://host/path"));
  const auto waited = Get("dns:///name.invalid:80/a", std::chrono::milliseconds(500));
  EXPECT_EQ(waited.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(Message(waited.status())), HasSubstr("no endpoint of dns:///name"));
}

}  // namespace
}  // namespace troth
