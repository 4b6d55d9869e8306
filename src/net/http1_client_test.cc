#include "net/http1_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "base/text.h"
#include "net/gzip.h"
#include "net/net_testing.h"

namespace troth::net {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kEndOfHead = "\r\n\r\n";

using HeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;
using Result = StatusOr<HttpClientResponse>;

std::string ErrorOf(const Result& result) {
  return result.ok() ? "" : std::string(Message(result.status()));
}

class HttpClientTest : public testing::Test {
 protected:
  ~HttpClientTest() override {
    if (client_ != nullptr) loop_.Do([&] { client_.reset(); });
    if (server_ == nullptr) return;
    std::promise<void> drained;
    server_->Drain(Seconds(0), [&] { drained.set_value(); });
    drained.get_future().wait();
    server_.reset();
  }

  HttpClient& client() {
    if (client_ == nullptr) {
      loop_.Do([&] { client_ = std::make_unique<HttpClient>(loop_.loop(), options_); });
    }
    return *client_;
  }

  // Starts a request; its result comes through the future.
  std::future<Result> Start(HttpClientRequest request) {
    auto promise = std::make_shared<std::promise<Result>>();
    HttpClient& sender = client();
    loop_.Do([&] {
      last_id_ =
          sender.Send(request, [promise](Result result) { promise->set_value(std::move(result)); });
    });
    return promise->get_future();
  }
  // Requests hold views: the texts live as long as the test.
  HttpClientRequest Get(std::string url) {
    HttpClientRequest request;
    request.url = texts_.emplace_back(std::move(url));
    request.timeout = kTestPatience;
    return request;
  }
  HttpClientRequest Post(std::string url, std::string body) {
    HttpClientRequest request = Get(std::move(url));
    request.method = "POST";
    request.body = texts_.emplace_back(std::move(body));
    return request;
  }
  Result Send(const HttpClientRequest& request) { return Start(request).get(); }

  // A server of ours; returns its URL without path.
  std::string Serve(HttpServer::Handler handler, const char* address = "127.0.0.1:0") {
    server_ = std::make_unique<HttpServer>(
        std::vector<Loop*>{&server_loop_.loop()}, server_options_, std::move(handler));
    const Status listening = server_->Listen(address);
    EXPECT_TRUE(listening.ok()) << Message(listening);
    return Cat("http://127.0.0.1:", server_->port());
  }
  std::string UrlOf(const RawServer& server) {
    return Cat("http://127.0.0.1:", server.port(), "/p?q=1");
  }

  HttpClientOptions options_;
  HttpServerOptions server_options_;
  LoopThread server_loop_;
  LoopThread loop_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
  uint64_t last_id_ = 0;
  std::deque<std::string> texts_;
};

// "METHOD target|body".
void Echo(const std::shared_ptr<HttpCall>& call) {
  const HttpRequest& request = call->request();
  HttpResponse response;
  response.body = Cat(request.method, " ", request.target, "|", request.body);
  call->Respond(std::move(response));
}

TEST_F(HttpClientTest, SendsWhatItIsGivenAndReadsTheAnswer) {
  const RawServer server;
  const HeaderViews headers = {{"Content-Type", "application/json"}, {"X-Trace", "7"}};
  HttpClientRequest request = Post(UrlOf(server), "{}");
  request.headers = headers;
  auto result = Start(request);
  RawSocket peer = server.Accept();
  EXPECT_EQ(
      peer.ReadUntil(kEndOfHead),
      Cat("POST /p?q=1 HTTP/1.1\r\nHost: 127.0.0.1:",
          server.port(),
          "\r\nUser-Agent: troth\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\n"
          "X-Trace: 7\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(peer.ReadBytes(2), "{}");
  peer.Send("HTTP/1.1 409 Conflict\r\nX-Why: because\r\nContent-Length: 4\r\n\r\nFAIL");
  const Result answer = result.get();
  ASSERT_TRUE(answer.ok()) << ErrorOf(answer);
  EXPECT_EQ(answer->status, 409);
  EXPECT_EQ(answer->body, "FAIL");
  EXPECT_EQ(FindHeader(answer->headers, "x-why"), "because");
}

TEST_F(HttpClientTest, LetsTheCallerSetHostAndUserAgentButNotTheFraming) {
  const RawServer server;
  const HeaderViews headers = {{"Host", "shop"},
                               {"User-Agent", "me"},
                               {"content-length", "99"},
                               {"Transfer-Encoding", "chunked"}};
  HttpClientRequest request = Post(UrlOf(server), "");
  request.headers = headers;
  auto result = Start(request);
  RawSocket peer = server.Accept();
  EXPECT_EQ(peer.ReadUntil(kEndOfHead),
            "POST /p?q=1 HTTP/1.1\r\nAccept-Encoding: gzip\r\nHost: shop\r\nUser-Agent: me\r\n"
            "Content-Length: 0\r\n\r\n");
  peer.Send("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(result.get()->status, 204);
}

TEST_F(HttpClientTest, RefusesHeadersAndUrlsThatWouldInjectSomething) {
  for (const HeaderViews& headers : {HeaderViews{{"X-A", "1\r\nX-B: 2"}},
                                     HeaderViews{{"X-A", "1\n2"}},
                                     HeaderViews{{"X-A: 1\r\nX-B", "2"}},
                                     HeaderViews{{"", "2"}}}) {
    HttpClientRequest request = Get("http://127.0.0.1:1/");
    request.headers = headers;
    EXPECT_EQ(Send(request).status().code(), StatusCode::kInvalidArgument);
  }
  HttpClientRequest method = Get("http://127.0.0.1:1/");
  method.method = "GET / HTTP/1.1\r\nX:";
  EXPECT_EQ(Send(method).status().code(), StatusCode::kInvalidArgument);
  for (const char* url :
       {"http://h/\r\nX: 1", "ftp://h/", "h:80/x", "http://", "http://h:99999/", "http://h:x/"}) {
    EXPECT_EQ(Send(Get(url)).status().code(), StatusCode::kInvalidArgument) << url;
  }
}

TEST_F(HttpClientTest, UsesAConnectionAgain) {
  const std::string url = Serve(Echo);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(Send(Post(Cat(url, "/", i), "x"))->body, Cat("POST /", i, "|x"));
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(HttpClientTest, OpensAsManyConnectionsAsAllowedAndLetsTheRestWait) {
  options_.connections_per_host_max = 2;
  std::mutex mutex;
  std::vector<std::shared_ptr<HttpCall>> held;
  const std::string url = Serve([&](std::shared_ptr<HttpCall> call) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(call));
  });
  std::vector<std::future<Result>> results;
  for (int i = 0; i < 6; ++i) results.push_back(Start(Get(url)));
  const auto held_count = [&] {
    const std::lock_guard lock(mutex);
    return held.size();
  };
  for (size_t answered = 0; answered < 6; ++answered) {
    ASSERT_TRUE(Eventually([&] { return held_count() > answered; }));
    EXPECT_LE(held_count() - answered, 2u);
    server_loop_.Do([&] { Echo(held[answered]); });
  }
  for (auto& result : results) EXPECT_TRUE(result.get().ok());
  EXPECT_EQ(server_->connections(), 2u);
}

TEST_F(HttpClientTest, BoundsHowManyWait) {
  options_.connections_per_host_max = 1;
  options_.waiting_per_host_max = 2;
  const RawServer server;
  auto first = Start(Get(UrlOf(server)));
  auto second = Start(Get(UrlOf(server)));
  auto third = Start(Get(UrlOf(server)));
  const Result refused = Send(Get(UrlOf(server)));
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(ErrorOf(refused), HasSubstr("2 requests wait already"));
}

TEST_F(HttpClientTest, EndsWithADeadlineInEveryPhase) {
  options_.connections_per_host_max = 1;
  const RawServer silent;
  HttpClientRequest request = Get(UrlOf(silent));
  request.timeout = milliseconds(500);
  auto answering = Start(request);
  RawSocket peer = silent.Accept();
  auto waiting = Start(request);
  const Result slow = answering.get();
  EXPECT_EQ(slow.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(ErrorOf(slow), AllOf(HasSubstr("within 500 ms"), EndsWith("waiting for the answer")));
  EXPECT_EQ(waiting.get().status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(client().requests_in_flight(), 0u);
}

TEST_F(HttpClientTest, TimesOutAnAnswerThatTricklesIn) {
  const RawServer server;
  HttpClientRequest request = Get(UrlOf(server));
  request.timeout = milliseconds(60);
  auto result = Start(request);
  RawSocket peer = server.Accept();
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
  EXPECT_EQ(result.get().status().code(), StatusCode::kDeadlineExceeded);
}

TEST_F(HttpClientTest, SaysWhyItCannotConnect) {
  uint16_t closed_port = 0;
  {
    const RawServer gone;
    closed_port = gone.port();
  }
  const Result refused = Send(Get(Cat("http://127.0.0.1:", closed_port)));
  EXPECT_EQ(refused.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(ErrorOf(refused),
            Cat("cannot connect to 127.0.0.1:", closed_port, ": Connection refused"));
  // No name server is asked for a label of 64 characters: it cannot exist.
  const std::string host = Cat(std::string(64, 'x'), ".invalid");
  const Result unknown = Send(Get(Cat("http://", host, "/")));
  EXPECT_EQ(unknown.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(ErrorOf(unknown), StartsWith(Cat("cannot resolve host '", host, "': ")));
}

TEST_F(HttpClientTest, ResolvesNamesAndSpeaksIPv6) {
  Serve(Echo, ":0");
  EXPECT_EQ(Send(Get(Cat("http://localhost:", server_->port(), "/n")))->body, "GET /n|");
  EXPECT_EQ(Send(Get(Cat("http://[::1]:", server_->port(), "/6")))->body, "GET /6|");
}

TEST_F(HttpClientTest, ConnectsToTheAddressThatDiscoveryFound) {
  const RawServer server;
  HttpClientRequest request = Get("http://orders.internal/x");
  const std::string address = Cat("127.0.0.1:", server.port());
  request.connect_to = address;
  auto result = Start(request);
  RawSocket peer = server.Accept();
  EXPECT_THAT(peer.ReadUntil(kEndOfHead), HasSubstr("Host: orders.internal\r\n"));
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(result.get().ok());
}

struct Answer {
  const char* name;
  const char* bytes;
  const char* body;   // expected, or
  const char* error;  // a part of the expected error
};
class HttpClientReads : public HttpClientTest, public testing::WithParamInterface<Answer> {};

TEST_P(HttpClientReads, AnswersOfAllKinds) {
  const RawServer server;
  auto result = Start(Get(UrlOf(server)));
  {
    RawSocket peer = server.Accept();
    peer.ReadUntil(kEndOfHead);
    peer.Send(GetParam().bytes);
  }
  const Result answer = result.get();
  if (GetParam().error != nullptr) {
    EXPECT_THAT(ErrorOf(answer), HasSubstr(GetParam().error));
  } else {
    ASSERT_TRUE(answer.ok()) << ErrorOf(answer);
    EXPECT_EQ(answer->body, GetParam().body);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    HttpClientReads,
    testing::Values(
        Answer{"Http10UntilClose", "HTTP/1.0 200 OK\r\n\r\nto the end", "to the end", nullptr},
        Answer{"Http11UntilClose",
               "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
               "to the end",
               nullptr},
        Answer{
            "Chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            "abc",
            nullptr},
        Answer{"AfterContinue",
               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
               "ok",
               nullptr},
        Answer{"NoReason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "ok", nullptr},
        Answer{"Nothing", "", nullptr, "closed the connection without an answer"},
        Answer{
            "HalfAHeader", "HTTP/1.1 200 OK\r\nContent-Le", nullptr, "in the middle of the answer"},
        Answer{"HalfABody",
               "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
               nullptr,
               "in the middle of the answer"},
        Answer{"HalfAChunk",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
               nullptr,
               "in the middle of the answer"},
        Answer{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n", nullptr, "not valid HTTP/1.1"},
        Answer{"BadLength",
               "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
               nullptr,
               "not valid HTTP/1.1"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(HttpClientTest, BoundsHeadersAndBodiesOfAnswers) {
  options_.header_bytes_max = 1000;
  options_.body_bytes_max = 1000;
  const std::string url = Serve([](const std::shared_ptr<HttpCall>& call) {
    HttpResponse response;
    if (call->request().path == "/header") {
      response.headers = {{"X", std::string(1000, 'x')}};
    } else if (call->request().path == "/chunks") {
      call->StartStream({});
      for (int i = 0; i < 11; ++i) call->WriteChunk(std::string(100, 'x'));
      return call->EndStream();
    } else if (call->request().path == "/zip") {
      response.headers = {{"Content-Encoding", "gzip"}};
      response.body = Gzip(std::string(1001, 'x'));
    } else {
      response.body = std::string(1001, 'x');
    }
    call->Respond(std::move(response));
  });
  for (const char* path : {"/header", "/chunks", "/zip", "/body"}) {
    const Result result = Send(Get(Cat(url, path)));
    EXPECT_EQ(result.status().code(), StatusCode::kResourceExhausted) << path;
    EXPECT_THAT(ErrorOf(result), HasSubstr("than 1000 bytes")) << path;
  }
}

TEST_F(HttpClientTest, InflatesAGzipAnswer) {
  const std::string text(100000, 'z');
  const std::string url = Serve([&](const std::shared_ptr<HttpCall>& call) {
    HttpResponse response;
    response.headers = {{"Content-Encoding", "gzip"}};
    response.body = call->request().path == "/good" ? Gzip(text) : Gzip(text).substr(0, 50);
    call->Respond(std::move(response));
  });
  const Result answer = Send(Get(Cat(url, "/good")));
  EXPECT_EQ(answer->body, text);
  EXPECT_FALSE(FindHeader(answer->headers, "Content-Encoding"));
  EXPECT_EQ(Send(Get(Cat(url, "/cut"))).status().code(), StatusCode::kDataLoss);
}

TEST_F(HttpClientTest, ReadsNoBodyOfAHeadAnswer) {
  const std::string url = Serve(Echo);
  HttpClientRequest request = Get(Cat(url, "/x"));
  request.method = "HEAD";
  for (int i = 0; i < 2; ++i) {
    const Result answer = Send(request);
    EXPECT_EQ(answer->body, "");
    EXPECT_EQ(FindHeader(answer->headers, "Content-Length"), "8");
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(HttpClientTest, FollowsRedirects) {
  const std::string url = Serve([](const std::shared_ptr<HttpCall>& call) {
    const std::string& path = call->request().path;
    if (!path.starts_with("/go/")) return Echo(call);
    HttpResponse response;
    response.status = static_cast<int>(*ParseInt(path.substr(4)));
    response.headers = {{"Location", "../end?r=1#part"}};
    call->Respond(std::move(response));
  });
  for (const int status : {301, 302, 303}) {
    EXPECT_EQ(Send(Post(Cat(url, "/go/", status), "data"))->body, "GET /end?r=1|") << status;
  }
  for (const int status : {307, 308}) {
    EXPECT_EQ(Send(Post(Cat(url, "/go/", status), "data"))->body, "POST /end?r=1|data") << status;
  }
}

TEST_F(HttpClientTest, StopsARedirectThatLeadsNowhere) {
  std::atomic<int> asked = 0;
  const std::string url = Serve([&](const std::shared_ptr<HttpCall>& call) {
    ++asked;
    HttpResponse response;
    response.status = 302;
    if (call->request().path == "/round") response.headers = {{"Location", "/round"}};
    call->Respond(std::move(response));
  });
  EXPECT_THAT(ErrorOf(Send(Get(Cat(url, "/round")))), EndsWith("stopped after 10 redirects"));
  EXPECT_EQ(asked, 11);
  EXPECT_THAT(ErrorOf(Send(Get(Cat(url, "/nowhere")))), HasSubstr("without a Location"));
}

TEST_F(HttpClientTest, KeepsSecretsFromAnotherHost) {
  const RawServer other("::1");
  const std::string url = Serve([&](const std::shared_ptr<HttpCall>& call) {
    HttpResponse response;
    response.status = 307;
    response.headers = {{"Location", Cat("http://[::1]:", other.port(), "/")}};
    call->Respond(std::move(response));
  });
  const HeaderViews headers = {
      {"Authorization", "Bearer secret"}, {"Cookie", "secret"}, {"X-Gid", "g1"}};
  HttpClientRequest request = Get(url);
  request.headers = headers;
  auto result = Start(request);
  RawSocket peer = other.Accept();
  EXPECT_THAT(peer.ReadUntil(kEndOfHead), AllOf(HasSubstr("X-Gid: g1"), Not(HasSubstr("secret"))));
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(result.get().ok());
}

class StaleConnection : public HttpClientTest {
 protected:
  // Leaves one pooled connection; returns the server's end of it.
  RawSocket Pool() {
    auto first = Start(Get(UrlOf(server_side_)));
    RawSocket peer = server_side_.Accept();
    peer.ReadUntil(kEndOfHead);
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(first.get().ok());
    return peer;
  }
  static void Answer(RawSocket& peer) {
    peer.ReadUntil(kEndOfHead);
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }

  RawServer server_side_;
};

TEST_F(StaleConnection, IsNotUsedOnceTheServerClosedIt) {
  Pool().Close();
  auto result = Start(Post(UrlOf(server_side_), "data"));
  RawSocket peer = server_side_.Accept();
  Answer(peer);
  EXPECT_TRUE(result.get().ok());
}

TEST_F(StaleConnection, RepeatsAnIdempotentRequestOnANewConnection) {
  RawSocket old = Pool();
  auto result = Start(Get(UrlOf(server_side_)));
  old.ReadUntil(kEndOfHead);
  old.Close();
  RawSocket peer = server_side_.Accept();
  Answer(peer);
  EXPECT_TRUE(result.get().ok());
}

TEST_F(StaleConnection, RepeatsOnlyOnce) {
  RawSocket old = Pool();
  auto result = Start(Get(UrlOf(server_side_)));
  old.ReadUntil(kEndOfHead);
  old.Close();
  server_side_.Accept().ReadUntil(kEndOfHead);
  EXPECT_EQ(result.get().status().code(), StatusCode::kUnavailable);
}

TEST_F(StaleConnection, NeverRepeatsAPostThatMayHaveBeenHandled) {
  RawSocket old = Pool();
  auto result = Start(Post(UrlOf(server_side_), "data"));
  old.ReadUntil("data");
  old.Close();
  const Result lost = result.get();
  EXPECT_EQ(lost.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(ErrorOf(lost), HasSubstr("without an answer"));
}

TEST_F(StaleConnection, NeverRepeatsARequestWhoseAnswerHadBegun) {
  RawSocket old = Pool();
  auto result = Start(Get(UrlOf(server_side_)));
  old.ReadUntil(kEndOfHead);
  old.Send("HTTP/1.1 2");
  old.Close();
  EXPECT_THAT(ErrorOf(result.get()), HasSubstr("in the middle of the answer"));
}

TEST_F(StaleConnection, IsClosedWhenTheServerTalksUnasked) {
  RawSocket old = Pool();
  old.Send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(old.SeesEnd());
}

TEST_F(StaleConnection, IsClosedAfterTheIdleTimeout) {
  options_.idle_timeout = milliseconds(20);
  EXPECT_TRUE(Pool().SeesEnd());
}

TEST_F(HttpClientTest, CancelsARequestWhereverItIs) {
  options_.connections_per_host_max = 1;
  const RawServer server;
  auto running = Start(Get(UrlOf(server)));
  const uint64_t running_id = last_id_;
  RawSocket peer = server.Accept();
  auto waiting = Start(Get(UrlOf(server)));
  const uint64_t waiting_id = last_id_;
  loop_.Do([&] {
    client().Cancel(waiting_id);
    client().Cancel(running_id);
    client().Cancel(12345);
  });
  EXPECT_EQ(waiting.get().status().code(), StatusCode::kCancelled);
  EXPECT_EQ(running.get().status().code(), StatusCode::kCancelled);
  peer.ReadUntil(kEndOfHead);
  EXPECT_TRUE(peer.SeesEnd());
}

TEST_F(HttpClientTest, ToleratesBeingDestroyedWithRequestsInFlightAndByACallback) {
  const RawServer server;
  auto left = Start(Get(UrlOf(server)));
  RawSocket peer = server.Accept();
  loop_.Do([&] { client_.reset(); });
  EXPECT_EQ(left.get().status().code(), StatusCode::kCancelled);

  const std::string url = Serve(Echo);
  std::promise<void> destroyed;
  HttpClient& sender = client();
  loop_.Do([&] {
    sender.Send(Get(url), [&](const Result&) {
      client_.reset();
      destroyed.set_value();
    });
  });
  EXPECT_EQ(destroyed.get_future().wait_for(kTestPatience), std::future_status::ready);
}

class HttpClientOverTls : public HttpClientTest {
 protected:
  HttpClientOverTls() {
    TlsOptions server;
    server.certificate_file = certificates_.certificate();
    server.key_file = certificates_.key();
    server.alpn = {"http/1.1"};
    server_options_.tls = *TlsContext::MakeServer(server);
  }
  void Trust(const std::string& ca_file) {
    TlsOptions client;
    client.ca_file = ca_file;
    options_.tls = *TlsContext::MakeClient(client);
  }

  TestCertificates certificates_;
};

TEST_F(HttpClientOverTls, SendsAndReadsLargeBodiesAndKeepsTheConnection) {
  Trust(certificates_.ca());
  Serve(Echo, ":0");
  const std::string body(3 << 20, 'b');
  for (const char* host : {"localhost", "127.0.0.1", "[::1]"}) {
    const std::string url = Cat("https://", host, ":", server_->port(), "/tls");
    for (int i = 0; i < 2; ++i) {
      const Result answer = Send(Post(url, body));
      ASSERT_TRUE(answer.ok()) << host << ": " << ErrorOf(answer);
      EXPECT_EQ(answer->body, Cat("POST /tls|", body));
    }
  }
  EXPECT_EQ(server_->connections(), 3u);
}

TEST_F(HttpClientOverTls, RefusesACertificateNobodyVouchesFor) {
  Serve(Echo);
  const Result result = Send(Get(Cat("https://127.0.0.1:", server_->port())));
  EXPECT_EQ(result.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(ErrorOf(result), HasSubstr("certificate is not trusted"));
}

TEST_F(HttpClientOverTls, RefusesACertificateForAnotherName) {
  Trust(certificates_.ca());
  Serve(Echo);
  HttpClientRequest request = Get("https://elsewhere.test/");
  const std::string address = Cat("127.0.0.1:", server_->port());
  request.connect_to = address;
  EXPECT_THAT(ErrorOf(Send(request)), HasSubstr("ostname mismatch"));
}

class HttpClientProxied : public HttpClientTest {
 protected:
  HttpClientProxied() {
    const std::string address = Cat("http://user:pa%20ss@127.0.0.1:", proxy_.port());
    setenv("HTTP_PROXY", address.c_str(), 1);
    setenv("HTTPS_PROXY", address.c_str(), 1);
    client();
    unsetenv("HTTP_PROXY");
    unsetenv("HTTPS_PROXY");
  }
  RawServer proxy_;
};

TEST_F(HttpClientProxied, AsksTheProxyForPlainUrls) {
  auto result = Start(Get("http://far.test:81/a?b"));
  RawSocket proxy = proxy_.Accept();
  EXPECT_THAT(proxy.ReadUntil(kEndOfHead),
              AllOf(StartsWith("GET http://far.test:81/a?b HTTP/1.1\r\nHost: far.test:81\r\n"),
                    HasSubstr("Proxy-Authorization: Basic dXNlcjpwYSBzcw==\r\n")));
  proxy.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(result.get()->body, "ok");
}

TEST_F(HttpClientProxied, AsksTheProxyForATunnelForHttps) {
  auto result = Start(Get("https://far.test/a"));
  RawSocket proxy = proxy_.Accept();
  EXPECT_THAT(proxy.ReadUntil(kEndOfHead),
              AllOf(StartsWith("CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n"),
                    HasSubstr("Proxy-Authorization: Basic dXNlcjpwYSBzcw==\r\n")));
  proxy.Send("HTTP/1.1 200 Connection established\r\n\r\n");
  EXPECT_EQ(proxy.ReadBytes(1), "\x16");  // the TLS handshake begins
  proxy.Close();
  EXPECT_THAT(ErrorOf(result.get()), StartsWith("TLS handshake with far.test failed"));
}

TEST_F(HttpClientProxied, SaysWhyThereIsNoTunnel) {
  auto result = Start(Get("https://far.test/a"));
  RawSocket proxy = proxy_.Accept();
  proxy.ReadUntil(kEndOfHead);
  proxy.Send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(ErrorOf(result.get()),
              HasSubstr("gives no tunnel to far.test:443: it answered with status 407"));
}

TEST_F(HttpClientProxied, GoesStraightToThisMachine) {
  EXPECT_EQ(Send(Get(Cat(Serve(Echo), "/near")))->body, "GET /near|");
}

}  // namespace
}  // namespace troth::net
