#include "net/http1_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <mutex>
#include <thread>

#include "base/text.h"
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

// "METHOD path|body", so that a test sees what arrived.
void Echo(const std::shared_ptr<HttpCall>& call) {
  const HttpRequest& request = call->request();
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = Cat(request.method, " ", request.target, "|", request.body);
  call->Respond(std::move(response));
}

class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override {
    if (server_ == nullptr) return;
    Drain(Seconds(0));
    server_.reset();
  }

  void Serve(HttpServer::Handler handler = Echo) {
    server_ = std::make_unique<HttpServer>(
        std::vector<Loop*>{&loop_.loop()}, options_, std::move(handler));
    const Status listening = server_->Listen("127.0.0.1:0");
    ASSERT_TRUE(listening.ok()) << Message(listening);
  }
  RawSocket Connect() { return RawSocket::Connect(server_->port()); }
  // Sends `request` on a new connection and returns everything until the server closes.
  std::string Exchange(std::string_view request) {
    RawSocket client = Connect();
    client.Send(request);
    return client.ReadAll();
  }
  void Drain(Duration grace) {
    std::promise<void> drained;
    server_->Drain(grace, [&] { drained.set_value(); });
    ASSERT_EQ(drained.get_future().wait_for(kTestPatience), std::future_status::ready);
  }

  HttpServerOptions options_;
  LoopThread loop_;
  std::unique_ptr<HttpServer> server_;
};

// Keeps calls for the test to answer on the loop later.
class HeldCalls {
 public:
  HttpServer::Handler handler() {
    return [this](std::shared_ptr<HttpCall> call) {
      const std::lock_guard lock(mutex_);
      calls_.push_back(std::move(call));
    };
  }
  std::shared_ptr<HttpCall> Wait(size_t index = 0) {
    EXPECT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex_);
      return calls_.size() > index;
    }));
    const std::lock_guard lock(mutex_);
    return calls_.at(index);
  }
  size_t size() {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }
  void Clear() {
    const std::lock_guard lock(mutex_);
    calls_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<HttpCall>> calls_;
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  Serve();
  RawSocket client = Connect();
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /a?b=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string head = client.ReadUntil(kEndOfHead);
    EXPECT_THAT(head,
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                      HasSubstr("Content-Type: text/plain\r\n"),
                      HasSubstr("Content-Length: 11\r\n"),
                      HasSubstr("Date: "),
                      Not(HasSubstr("Connection"))));
    EXPECT_EQ(client.ReadBytes(11), "GET /a?b=1|");
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrderOneAtATime) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto first = held.Wait(0);
  loop_.Do([] {});
  EXPECT_EQ(held.size(), 1u);
  loop_.Do([&] { Echo(first); });
  const auto second = held.Wait(1);
  loop_.Do([&] { Echo(second); });
  EXPECT_THAT(client.ReadAll(), AllOf(HasSubstr("GET /1|HTTP/1.1 200"), EndsWith("GET /2|")));
}

TEST_F(HttpServerTest, AnswersManyPipelinedRequests) {
  Serve();
  std::string requests;
  std::string last;
  for (int i = 0; i < 20000; ++i) {
    last = Cat("/", i);
    CatTo(requests, "GET ", last, " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  requests += "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  RawSocket client = Connect();
  std::thread sender([&] { client.Send(requests); });
  const std::string answers = client.ReadAll();
  sender.join();
  EXPECT_THAT(answers, AllOf(HasSubstr("GET /19999|"), EndsWith("GET /end|")));
}

TEST_F(HttpServerTest, ReadsABodyThatArrivesByteByByte) {
  Serve();
  RawSocket client = Connect();
  for (const char byte :
       std::string_view("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")) {
    client.Send({&byte, 1});
  }
  client.ReadUntil(kEndOfHead);
  EXPECT_EQ(client.ReadBytes(13), "POST /x|hello");
}

TEST_F(HttpServerTest, ReadsAChunkedBodyAndIgnoresItsTrailer) {
  Serve([](const std::shared_ptr<HttpCall>& call) {
    EXPECT_FALSE(FindHeader(call->request().headers, "X-Late"));
    Echo(call);
  });
  EXPECT_THAT(
      Exchange(
          "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
          "3;why=not\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Late: 1\r\n\r\n"),
      EndsWith("POST /x|abcdefg"));
}

TEST_F(HttpServerTest, ReadsABodyAsLongAsTheLimit) {
  Serve([](const std::shared_ptr<HttpCall>& call) {
    call->Respond({.body = Cat(call->request().body.size())});
  });
  const std::string body(options_.body_bytes_max, 'x');
  RawSocket client = Connect();
  client.Send(Cat("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ",
                  body.size(),
                  "\r\n\r\n"));
  client.Send(body);
  EXPECT_THAT(client.ReadAll(), EndsWith("\r\n\r\n4194304"));
}

TEST_F(HttpServerTest, RefusesALongerBodyByLengthAndByChunks) {
  options_.body_bytes_max = 1000;
  Serve();
  EXPECT_THAT(
      Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close"), HasSubstr("1000 bytes")));
  const std::string chunk = Cat("200\r\n", std::string(0x200, 'x'), "\r\n");
  EXPECT_THAT(
      Exchange(
          Cat("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk)),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, ClientStillSendingReadsTheRefusal) {
  options_.body_bytes_max = 1000;
  Serve();
  RawSocket client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n");
  client.Send(std::string(2000000, 'x'));
  EXPECT_THAT(client.ReadUntil(kEndOfHead), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesLongHeadersHoweverTheyArrive) {
  options_.header_bytes_max = 2000;
  Serve();
  EXPECT_THAT(Exchange(Cat("GET / HTTP/1.1\r\nHost: h\r\nX: ", std::string(3000, 'x'))),
              StartsWith("HTTP/1.1 431 "));
  RawSocket client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n");
  for (int i = 0; i < 300; ++i) client.Send(Cat("X-", i, ": 0123456789\r\n"));
  EXPECT_THAT(client.ReadUntil(kEndOfHead), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesAnEndlessChunkLine) {
  Serve();
  EXPECT_THAT(Exchange(Cat("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
                           std::string(100000, 'x'))),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, SaysContinueOnlyToWhoWaitsForIt) {
  Serve();
  RawSocket client = Connect();
  client.Send("POST /w HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.ReadUntil(kEndOfHead), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_THAT(client.ReadUntil("|ok"), StartsWith("HTTP/1.1 200 OK"));
  client.Send("POST /n HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_THAT(client.ReadUntil("|ok"), StartsWith("HTTP/1.1 200 OK"));
}

struct BadRequest {
  const char* name;
  const char* bytes;
  int status;
};
class HttpServerRefuses : public HttpServerTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(HttpServerRefuses, AndCloses) {
  Serve([](const std::shared_ptr<HttpCall>& call) {
    ADD_FAILURE() << "handled " << call->request().target;
    Echo(call);
  });
  EXPECT_THAT(Exchange(GetParam().bytes), StartsWith(Cat("HTTP/1.1 ", GetParam().status, " ")));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    HttpServerRefuses,
    testing::Values(
        BadRequest{"NotHttp", "\x16\x03\x01\x02hello\r\n\r\n", 400},
        BadRequest{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        BadRequest{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        BadRequest{"Version", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
        BadRequest{"SpaceInName", "GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n", 400},
        BadRequest{"LengthAndChunked",
                   "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{
            "TwoLengths",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            400},
        BadRequest{
            "NegativeLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
        BadRequest{"UnknownEncoding",
                   "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nabc",
                   501},
        BadRequest{"OldChunked",
                   "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"BadChunk",
                   "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                   400},
        BadRequest{"Expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\n\r\n", 417}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(HttpServerTest, SendsNoBodyToHead) {
  Serve();
  EXPECT_THAT(Exchange("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 8\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, PassesAnyMethodOn) {
  Serve();
  EXPECT_THAT(Exchange("PURGE /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("PURGE /x|"));
}

TEST_F(HttpServerTest, ClosesAfterAnHttp10RequestUnlessAskedToStay) {
  Serve();
  EXPECT_THAT(Exchange("GET /x HTTP/1.0\r\n\r\n"),
              AllOf(HasSubstr("Connection: close"), EndsWith("GET /x|")));
  RawSocket client = Connect();
  client.Send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("/1|"), HasSubstr("Connection: keep-alive\r\n"));
  client.Send("GET /2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), EndsWith("GET /2|"));
}

TEST_F(HttpServerTest, TakesTargetsApart) {
  Serve([](const std::shared_ptr<HttpCall>& call) {
    const HttpRequest& request = call->request();
    const auto gid = request.Param("gid");
    call->Respond({.body = Cat(request.path, " ", request.query, " ", gid.value_or("none"))});
  });
  EXPECT_THAT(
      Exchange("GET /a%20b?x=1&gid=a+b%21&gid=2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
      EndsWith("\r\n/a%20b x=1&gid=a+b%21&gid=2 a b!"));
  EXPECT_THAT(Exchange("GET http://host:1/p?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n/p q none"));
  EXPECT_THAT(Exchange("GET http://host HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n/  none"));
}

TEST_F(HttpServerTest, TimesOutSlowHeadersBodiesAndSilentConnections) {
  options_.header_timeout = options_.body_timeout = options_.keepalive_timeout = milliseconds(500);
  Serve();
  EXPECT_THAT(Exchange("GET / HT"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(Exchange(""), "");
  EXPECT_THAT(Exchange("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"), EndsWith("GET /x|"));
}

TEST_F(HttpServerTest, CutsAClientThatTakesNothing) {
  options_.write_timeout = milliseconds(50);
  std::atomic<int> calls = 0;
  Serve([&](const std::shared_ptr<HttpCall>& call) {
    ++calls;
    call->Respond({.body = std::string(64 << 20, 'x')});
  });
  RawSocket client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return calls == 1; }));
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HttpServerTest, StreamsChunksAsTheyAreWritten) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  loop_.Do([&] { call->StartStream({.content_type = "text/event-stream"}); });
  EXPECT_THAT(client.ReadUntil(kEndOfHead), HasSubstr("Transfer-Encoding: chunked"));
  loop_.Do([&] { call->WriteChunk("data: 1\n\n"); });
  EXPECT_EQ(client.ReadUntil("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  loop_.Do([&] { call->EndStream(); });
  EXPECT_EQ(client.ReadBytes(5), "0\r\n\r\n");
  client.Send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto next = held.Wait(1);
  loop_.Do([&] { Echo(next); });
  EXPECT_THAT(client.ReadUntil("/next|"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpServerTest, StreamsToHttp10UntilTheEndOfTheConnection) {
  Serve([](const std::shared_ptr<HttpCall>& call) {
    call->StartStream({.body = "one "});
    call->WriteChunk("two");
    call->EndStream();
  });
  EXPECT_THAT(Exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              AllOf(Not(HasSubstr("chunked")), EndsWith("\r\n\r\none two")));
}

TEST_F(HttpServerTest, TellsAStreamWhenItsClientKeptUp) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  std::atomic<int> writable = 0;
  std::atomic<size_t> unsent = 0;
  loop_.Do([&] {
    call->StartStream({});
    call->OnWritable([&] { ++writable; });
    call->WriteChunk(std::string(3 << 20, 'x'));
    unsent = call->unsent_bytes();
  });
  EXPECT_GE(unsent, 3u << 20);
  client.ReadBytes(3 << 20);
  EXPECT_TRUE(Eventually([&] { return writable > 0; }));
  loop_.Do([&] { unsent = call->unsent_bytes(); });
  EXPECT_EQ(unsent, 0u);
  loop_.Do([&] { call->EndStream(); });
}

TEST_F(HttpServerTest, CutsAStreamWhoseClientFallsTooFarBehind) {
  options_.stream_unsent_bytes_max = 1 << 20;
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  bool gone = false;
  loop_.Do([&] {
    call->OnGone([&] { gone = true; });
    call->StartStream({});
    for (int i = 0; i < 20; ++i) call->WriteChunk(std::string(100 << 10, 'x'));
    EXPECT_TRUE(call->cancelled());
  });
  EXPECT_TRUE(gone);
}

TEST_F(HttpServerTest, TellsTheHandlerThatTheClientLeft) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  std::atomic<bool> gone = false;
  loop_.Do([&] { call->OnGone([&] { gone = true; }); });
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return gone.load(); }));
  loop_.Do([&] {
    EXPECT_TRUE(call->cancelled());
    Echo(call);  // changes nothing
  });
}

TEST_F(HttpServerTest, StillAnswersAClientThatClosedItsSendingHalf) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET /half HTTP/1.1\r\nHost: h\r\n\r\n");
  client.CloseSend();
  const auto call = held.Wait();
  EXPECT_TRUE(Eventually([&] {
    bool cancelled = false;
    loop_.Do([&] { cancelled = call->cancelled(); });
    return cancelled;
  }));
  loop_.Do([&] { Echo(call); });
  EXPECT_THAT(client.ReadAll(), EndsWith("GET /half|"));
}

TEST_F(HttpServerTest, AnswersForAHandlerThatLetsGo) {
  Serve([](const std::shared_ptr<HttpCall>&) {});
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, NeverSendsAHeaderThatSmugglesAnother) {
  Serve([](const std::shared_ptr<HttpCall>& call) {
    call->Respond({.headers = {{"X-Gid", "a\r\nSet-Cookie: evil=1"}}});
  });
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("evil"))));
}

TEST_F(HttpServerTest, ClosesConnectionsAboveTheLimit) {
  options_.connections_max = 1;
  Serve();
  RawSocket first = Connect();
  first.Send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  first.ReadUntil("/x|");
  EXPECT_TRUE(Connect().SeesEnd());
  first.Close();
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
  EXPECT_THAT(Exchange("GET /y HTTP/1.0\r\n\r\n"), EndsWith("GET /y|"));
}

TEST_F(HttpServerTest, DrainsIdleConnectionsAtOnceAndBusyOnesAfterTheirAnswer) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket idle = Connect();
  RawSocket busy = Connect();
  busy.Send("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 2; }));
  std::promise<void> drained;
  server_->Drain(kTestPatience, [&] { drained.set_value(); });
  EXPECT_TRUE(idle.SeesEnd());
  EXPECT_FALSE(Connect().is_open());
  loop_.Do([&] { Echo(call); });
  EXPECT_THAT(busy.ReadAll(), AllOf(HasSubstr("Connection: close"), EndsWith("GET /busy|")));
  busy.Close();
  EXPECT_EQ(drained.get_future().wait_for(kTestPatience), std::future_status::ready);
}

TEST_F(HttpServerTest, DrainsAStreamWhenItsHandlerEndsIt) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  loop_.Do([&] { call->StartStream({.body = "one"}); });
  client.ReadUntil(kEndOfHead);
  std::promise<void> drained;
  server_->Drain(std::chrono::hours(1), [&] { drained.set_value(); });
  EXPECT_TRUE(Eventually([&] { return !Connect().is_open(); }));
  loop_.Do([&] { call->EndStream(); });
  EXPECT_THAT(client.ReadAll(), EndsWith("0\r\n\r\n"));
  client.Close();
  EXPECT_EQ(drained.get_future().wait_for(kTestPatience), std::future_status::ready);
}

TEST_F(HttpServerTest, CutsWhatIsLeftWhenTheGraceIsOver) {
  HeldCalls held;
  Serve(held.handler());
  RawSocket client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto call = held.Wait();
  Drain(milliseconds(20));
  EXPECT_TRUE(client.SeesEnd());
  loop_.Do([&] { EXPECT_TRUE(call->cancelled()); });
}

TEST_F(HttpServerTest, SaysWhichPortIsInUseAndWhatToDo) {
  Serve();
  HttpServer second({&loop_.loop()}, {}, Echo);
  const Status status = second.Listen(Cat("127.0.0.1:", server_->port()));
  EXPECT_THAT(std::string(Message(status)),
              AllOf(HasSubstr(Cat("port ", server_->port(), " is in use")),
                    HasSubstr("configure another port")));
}

TEST_F(HttpServerTest, ListensOnAllInterfacesInBothFamilies) {
  server_ = std::make_unique<HttpServer>(std::vector<Loop*>{&loop_.loop()}, options_, Echo);
  ASSERT_TRUE(server_->Listen(":0").ok());
  for (const char* host : {"127.0.0.1", "::1"}) {
    RawSocket client = RawSocket::Connect(server_->port(), host);
    client.Send("GET /x HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.ReadAll(), EndsWith("GET /x|")) << host;
  }
}

TEST_F(HttpServerTest, NamesThePeerWithoutAnIPv6Prefix) {
  server_ = std::make_unique<HttpServer>(
      std::vector<Loop*>{&loop_.loop()}, options_, [](const std::shared_ptr<HttpCall>& call) {
        call->Respond({.body = call->request().peer});
      });
  ASSERT_TRUE(server_->Listen(":0").ok());
  EXPECT_THAT(Exchange("GET /x HTTP/1.0\r\n\r\n"), HasSubstr("\r\n\r\n127.0.0.1:"));
}

TEST_F(HttpServerTest, SpreadsConnectionsOverItsLoops) {
  LoopThread other;
  std::atomic<int> on_first = 0;
  std::atomic<int> on_other = 0;
  server_ = std::make_unique<HttpServer>(std::vector<Loop*>{&loop_.loop(), &other.loop()},
                                         options_,
                                         [&](const std::shared_ptr<HttpCall>& call) {
                                           ++(&call->loop() == &other.loop() ? on_other : on_first);
                                           Echo(call);
                                         });
  ASSERT_TRUE(server_->Listen("127.0.0.1:0").ok());
  std::vector<RawSocket> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Connect());
    clients.back().Send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    clients.back().ReadUntil("/x|");
  }
  EXPECT_EQ(on_first, 4);
  EXPECT_EQ(on_other, 4);
  clients.clear();
  Drain(Seconds(0));
  server_.reset();
}

// Lets the process open no further file descriptor while it lives.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = 3;  // stdin, stdout and stderr are open
    setrlimit(RLIMIT_NOFILE, &lower);
  }
  ~NoDescriptorsLeft() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(HttpServerTest, AcceptsAgainOnceThereAreFileDescriptors) {
  Serve();
  EXPECT_THAT(Exchange("GET /w HTTP/1.0\r\n\r\n"), EndsWith("GET /w|"));
  // Opened before and connected after the limit fell: then only the server needs a descriptor.
  RawSocket client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    const NoDescriptorsLeft limit;
    ASSERT_TRUE(client.ConnectTo(server_->port()));
    client.Send("GET /x HTTP/1.0\r\n\r\n");
    pollfd answer{.fd = client.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&answer, 1, 20), 0);
  }
  EXPECT_THAT(client.ReadAll(), EndsWith("GET /x|"));
}

TEST_F(HttpServerTest, ServesOverTls) {
  const TestCertificates certificates;
  TlsOptions tls;
  tls.certificate_file = certificates.certificate();
  tls.key_file = certificates.key();
  tls.alpn = {"http/1.1"};
  options_.tls = *TlsContext::MakeServer(tls);
  options_.header_timeout = milliseconds(100);
  Serve();
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
              Not(HasSubstr("HTTP/1.1 200")));  // plain text
  EXPECT_EQ(Exchange(""), "");                  // no handshake at all
}

}  // namespace
}  // namespace troth::net
