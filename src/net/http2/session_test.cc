// Two sessions that talk to each other, and one that hears what no peer may say.

#include "net/http2/session.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "net/http2_testing.h"

namespace troth::net {
namespace {

using http2::Encode;
using http2::HeaderBlock;
using http2::kAck;
using http2::kEndHeaders;
using http2::kEndStream;
using http2::kNoFlags;
using http2::Number;

constexpr size_t kAll = SIZE_MAX;

// What happened to a stream, in words.
class Stream : public Http2Stream {
 public:
  std::string log;
  std::string data;
  std::optional<Http2Close> close;
  std::vector<Http2Header> trailers;
  std::function<void(Stream&)> on_headers_end, on_half_close, on_close;
  int told_unsent_below = 0;

 protected:
  void OnHeader(std::string_view name, std::string_view value) override {
    CatTo(log, name, "=", value, " ");
  }
  void OnHeadersEnd(bool end) override {
    log += end ? "end-headers-and-stream " : "end-headers ";
    if (on_headers_end) on_headers_end(*this);
  }
  void OnData(std::string_view bytes) override { data += bytes; }
  void OnHalfClose() override {
    log += "half-close ";
    if (on_half_close) on_half_close(*this);
  }
  void AddTrailers(std::vector<Http2Header>& to) override { to = trailers; }
  void OnUnsentBelow() override { ++told_unsent_below; }
  void OnClose(const Http2Close& how) override {
    EXPECT_FALSE(close.has_value());
    close = how;
    if (on_close) on_close(*this);
  }
};

class Side : public Http2Session::Listener {
 public:
  explicit Side(const Http2Options& options) : session(options, *this) {}

  std::vector<std::shared_ptr<Stream>> streams;
  std::function<std::shared_ptr<Stream>()> make_stream = [] { return std::make_shared<Stream>(); };
  int wants_write = 0, pings_answered = 0, streams_gone = 0;
  std::string go_away;
  Http2Session session;

  std::string Pull(size_t limit = kAll) {
    std::string out;
    session.Pull(out, limit);
    return out;
  }

 private:
  void OnWantsWrite() override { ++wants_write; }
  std::shared_ptr<Http2Stream> OnNewStream() override {
    if (make_stream == nullptr) return nullptr;
    streams.push_back(make_stream());
    return streams.back();
  }
  void OnPingAnswered() override { ++pings_answered; }
  void OnGoAway(Http2Error error, std::string_view text) override {
    go_away = Cat(static_cast<uint32_t>(error), " ", text);
  }
  void OnStreamGone() override { ++streams_gone; }
};

const std::array<Http2Header, 4> kRequest = {Http2Header{":method", "POST"},
                                             Http2Header{":scheme", "http"},
                                             Http2Header{":path", "/s/M"},
                                             Http2Header{":authority", "h"}};
const std::array<Http2Header, 1> kAnswer = {Http2Header{":status", "200"}};

class Http2SessionTest : public testing::Test {
 protected:
  Side client{{.server = false}};
  Side server{{.streams_max = 3}};

  // Until neither has anything to say.
  void Talk(size_t limit = kAll) {
    for (bool said = true; said;) {
      said = false;
      for (const auto& [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
        const std::string bytes = from->Pull(limit);
        said = said || !bytes.empty();
        EXPECT_TRUE(to->session.Feed(bytes).ok()) << to->session.fault_text();
      }
    }
  }
  std::shared_ptr<Stream> Open(std::string_view data = "") {
    auto stream = std::make_shared<Stream>();
    EXPECT_TRUE(client.session.Open(stream, kRequest, false).ok());
    if (!data.empty()) stream->SendData(data);
    return stream;
  }
};

void Answer(Stream& stream) {
  stream.SendHeaders(kAnswer, false);
  stream.SendData(stream.data);
  stream.trailers = {{"grpc-status", "0"}};
  stream.EndWithTrailers();
}

std::shared_ptr<Stream> Answering() {
  auto stream = std::make_shared<Stream>();
  stream->on_half_close = Answer;
  return stream;
}

TEST_F(Http2SessionTest, AUnaryCallThereAndBack) {
  server.make_stream = Answering;
  const auto call = Open("five ");
  call->SendData(std::string_view("bytes"));
  call->EndSend();
  EXPECT_EQ(client.session.unsent_bytes(), client.Pull(0).size() + client.session.unsent_bytes());
  Talk();
  ASSERT_EQ(server.streams.size(), 1U);
  EXPECT_EQ(server.streams[0]->log,
            ":method=POST :scheme=http :path=/s/M :authority=h end-headers half-close ");
  EXPECT_EQ(server.streams[0]->data, "five bytes");
  EXPECT_EQ(call->log, ":status=200 end-headers grpc-status=0 end-headers-and-stream half-close ");
  EXPECT_EQ(call->data, "five bytes");
  for (const auto& stream : {call, server.streams[0]}) {
    ASSERT_TRUE(stream->close.has_value());
    EXPECT_EQ(stream->close->error, Http2Error::kNone);
    EXPECT_FALSE(stream->close->connection_lost || stream->close->never_handled);
    EXPECT_FALSE(stream->stream_open());
  }
  EXPECT_EQ(client.session.streams_open() + server.session.streams_open(), 0U);
  EXPECT_EQ(client.streams_gone, 1);
  EXPECT_EQ(client.session.unsent_bytes() + server.session.unsent_bytes(), 0U);
}

// Pieces of one message, and its end, are one frame if nothing came between.
TEST_F(Http2SessionTest, SmallPiecesShareAFrame) {
  Talk();
  const auto call = Open("one");
  call->SendData(std::string_view("two"));
  call->EndSend();
  const std::string bytes = client.Pull();
  const std::string data = Encode({http2::kData, kEndStream, 1, "onetwo"});
  EXPECT_TRUE(bytes.ends_with(data));
  const auto first = Open("a"), second = Open("b");
  first->SendData(std::string_view("c"));
  EXPECT_TRUE(client.Pull().ends_with(Encode({http2::kData, kNoFlags, 5, "b"}) +
                                      Encode({http2::kData, kNoFlags, 3, "c"})));
}

TEST_F(Http2SessionTest, DataGivenBeforeTheHeadersFollowsThem) {
  server.make_stream = [] {
    auto stream = std::make_shared<Stream>();
    stream->on_half_close = [](Stream& self) {
      self.SendData(std::string_view("early"));
      self.EndSend();
      self.SendHeaders(kAnswer, false);
    };
    return stream;
  };
  const auto call = Open();
  call->EndSend();
  Talk();
  EXPECT_EQ(call->data, "early");
  EXPECT_TRUE(call->close.has_value());
}

TEST_F(Http2SessionTest, MuchDataGoesAsWindowsAllowAndTakesTurns) {
  Talk();
  const std::string much(3 << 20, 'x');
  const auto first = Open(), second = Open();
  first->SendData(std::string(much));
  second->SendData(much);
  first->EndSend();
  second->trailers = {{"last", "words"}};
  second->EndWithTrailers();
  EXPECT_GE(client.session.unsent_bytes(), 2 * much.size());
  first->NotifyUnsentBelow(1000);
  Talk(10000);
  for (const auto& stream : server.streams) {
    EXPECT_EQ(stream->data, much);
    EXPECT_TRUE(stream->log.ends_with("half-close "));
  }
  EXPECT_EQ(first->told_unsent_below, 1);
  EXPECT_EQ(client.session.unsent_bytes(), 0U);
}

// The client reads a little at a time and asks for more meanwhile, so that what is written is never
// all gone.
TEST_F(Http2SessionTest, APeerThatReadsSlowlyGetsEverythingInOrder) {
  Side large{{.streams_max = 4096}};
  large.make_stream = Answering;
  std::vector<std::shared_ptr<Stream>> calls;
  const std::string data(1000, 'd');
  for (int turn = 0; turn < 2000; ++turn) {
    calls.push_back(Open(data));
    calls.back()->EndSend();
    EXPECT_TRUE(large.session.Feed(client.Pull()).ok()) << large.session.fault_text();
    EXPECT_TRUE(client.session.Feed(large.Pull(turn < 500 ? 100 : 1500)).ok());
  }
  EXPECT_LT(large.session.unsent_bytes(), 1U << 20);
  for (std::string bytes = large.Pull(); !bytes.empty(); bytes = large.Pull()) {
    EXPECT_TRUE(client.session.Feed(bytes).ok());
    EXPECT_TRUE(large.session.Feed(client.Pull()).ok());
  }
  for (const auto& call : calls) EXPECT_TRUE(call->close.has_value() && call->data == data);
}

TEST_F(Http2SessionTest, LargeHeadersGoInSeveralFrames) {
  server.make_stream = Answering;
  const std::string large(50000, 'h');
  auto call = std::make_shared<Stream>();
  std::vector<Http2Header> headers(kRequest.begin(), kRequest.end());
  headers.push_back({"large", large});
  EXPECT_TRUE(client.session.Open(call, headers, true).ok());
  Talk();
  EXPECT_NE(server.streams[0]->log.find(Cat("large=", large)), std::string::npos);
  EXPECT_TRUE(call->close.has_value());
}

TEST_F(Http2SessionTest, TheSameHoweverBytesAreCut) {
  server.make_stream = Answering;
  const auto call = Open("some data");
  call->EndSend();
  for (int turn = 0; turn < 3; ++turn) {
    for (const auto& [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
      for (const char byte : from->Pull()) EXPECT_TRUE(to->session.Feed({&byte, 1}).ok());
    }
  }
  EXPECT_EQ(call->data, "some data");
  EXPECT_TRUE(call->close.has_value());
}

TEST_F(Http2SessionTest, AResetEndsBothSides) {
  const auto call = Open("data");
  Talk();
  call->Reset(Http2Error::kCancel);
  EXPECT_FALSE(call->close.has_value());  // not within the call
  Talk();
  EXPECT_EQ(call->close->error, Http2Error::kCancel);
  EXPECT_EQ(server.streams[0]->close->error, Http2Error::kCancel);
}

TEST_F(Http2SessionTest, AnAnswerThatComesEarlyAsksTheClientToStop) {
  server.make_stream = [] {
    auto stream = std::make_shared<Stream>();
    stream->on_headers_end = Answer;
    return stream;
  };
  const auto call = Open("more is to come");
  Talk();
  EXPECT_EQ(call->log, ":status=200 end-headers grpc-status=0 end-headers-and-stream half-close ");
  EXPECT_EQ(call->close->error, Http2Error::kNone);
  EXPECT_TRUE(server.streams[0]->close.has_value());
}

TEST_F(Http2SessionTest, StreamsBeyondTheLimitAreRefusedOrWait) {
  std::vector<std::shared_ptr<Stream>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(Open());  // the limit is not known yet
  Talk();
  EXPECT_EQ(calls[3]->close->error, Http2Error::kRefusedStream);
  EXPECT_TRUE(calls[3]->close->never_handled);
  EXPECT_FALSE(client.session.MayOpen());
  calls[0]->Reset(Http2Error::kCancel);
  Talk();
  EXPECT_TRUE(client.session.MayOpen());
}

TEST_F(Http2SessionTest, ACallThatWasNotPulledWasNeverHandled) {
  Talk();
  const auto sent = Open();
  client.Pull();
  const auto unsent = Open();
  client.session.Close();
  EXPECT_TRUE(sent->close->connection_lost && unsent->close->connection_lost);
  EXPECT_FALSE(sent->close->never_handled);
  EXPECT_TRUE(unsent->close->never_handled);
  EXPECT_FALSE(client.session.Open(std::make_shared<Stream>(), kRequest, true).ok());
}

TEST_F(Http2SessionTest, DrainLetsOpenCallsEnd) {
  const auto call = Open();
  Talk();
  server.session.StartDrain();
  const auto crossing = Open();  // the client does not know yet
  const std::string notice = server.Pull();
  EXPECT_TRUE(server.session.Feed(client.Pull()).ok());
  EXPECT_EQ(server.streams.size(), 2U);
  EXPECT_TRUE(client.session.Feed(notice).ok());
  EXPECT_EQ(client.go_away, "0 ");
  EXPECT_FALSE(client.session.MayOpen());
  Talk();
  EXPECT_FALSE(server.session.Finished());
  for (const auto& stream : server.streams) Answer(*stream);
  Talk();
  EXPECT_TRUE(call->close.has_value() && crossing->close.has_value());
  EXPECT_TRUE(client.session.Finished() && server.session.Finished());
}

TEST_F(Http2SessionTest, GoAwayEndsTheCallsItLeavesOut) {
  const auto first = Open(), second = Open();
  Talk();
  EXPECT_TRUE(
      client.session.Feed(Encode({http2::kGoAway, 0, 0, Number(1) + Number(11) + "calm"})).ok());
  EXPECT_EQ(client.go_away, "11 calm");
  EXPECT_FALSE(first->close.has_value());
  EXPECT_TRUE(second->close->never_handled);
}

TEST_F(Http2SessionTest, AClientThatSaysGoAwayIsAnsweredUntilItCloses) {
  Talk();
  EXPECT_TRUE(server.session.Feed(Encode({http2::kGoAway, 0, 0, Number(0) + Number(0)})).ok());
  EXPECT_FALSE(server.session.Finished());
  client.session.Ping();
  Talk();
  EXPECT_EQ(client.pings_answered, 1);
}

TEST_F(Http2SessionTest, PingsAreAnswered) {
  client.session.Ping();
  Talk();
  EXPECT_EQ(client.pings_answered, 1);
}

// --- a hostile peer

struct Said {
  std::string name;
  std::string bytes;
  Http2Error error;
};
void PrintTo(const Said& said, std::ostream* out) { *out << said.name; }

std::string Beginning() { return Cat(http2::kPreface, Encode({.type = http2::kSettings})); }
const std::string kHeadersBlock =
    HeaderBlock({{":method", "POST"}, {":scheme", "http"}, {":path", "/s/M"}, {":authority", "h"}});
std::string Request(uint32_t stream, uint8_t flags = kNoFlags) {
  return Encode(
      {http2::kHeaders, static_cast<uint8_t>(flags | kEndHeaders), stream, kHeadersBlock});
}
std::string RequestOf(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  return Encode({http2::kHeaders, kEndHeaders | kEndStream, 1, HeaderBlock(fields)});
}
std::string FrameOf(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return Encode({type, flags, stream, std::string(payload)});
}
constexpr uint8_t kPriority = 2, kPushPromise = 5, kContinuation = 9;
constexpr uint8_t kPadded = 8, kWithPriority = 0x20;

// What the first frame of a type in `bytes` has behind it.
std::optional<std::string> Payload(std::string_view bytes, uint8_t type) {
  while (bytes.size() >= 9) {
    const size_t length = http2::NumberAt(bytes, 0) >> 8;
    if (static_cast<uint8_t>(bytes[3]) == type) return std::string(bytes.substr(9, length));
    bytes.remove_prefix(9 + length);
  }
  return std::nullopt;
}

class ConnectionFaults : public testing::TestWithParam<Said> {};

TEST_P(ConnectionFaults, EndTheConnectionWithTheReason) {
  Side server{{}};
  EXPECT_FALSE(server.session.Feed(GetParam().bytes).ok());
  EXPECT_FALSE(server.session.fault_text().empty());
  const std::optional<std::string> payload = Payload(server.Pull(), http2::kGoAway);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(http2::NumberAt(*payload, 4), static_cast<uint32_t>(GetParam().error));
  EXPECT_TRUE(server.session.Finished());
  EXPECT_FALSE(server.session.Feed("anything").ok());
}

INSTANTIATE_TEST_SUITE_P(
    All,
    ConnectionFaults,
    testing::Values(
        Said{"AnotherPreface", "GET / HTTP/1.1\r\n\r\n", Http2Error::kProtocol},
        Said{"NoSettingsFirst", Cat(http2::kPreface, Request(1)), Http2Error::kProtocol},
        Said{"DataOnTheConnection", Beginning() + FrameOf(0, 0, 0, "x"), Http2Error::kProtocol},
        Said{"DataOnAnIdleStream", Beginning() + FrameOf(0, 0, 1, "x"), Http2Error::kProtocol},
        Said{"DataAfterTheEnd",
             Beginning() + Request(1, kEndStream) + FrameOf(0, 0, 1, "x"),
             Http2Error::kStreamClosed},
        Said{"DataAfterAReset",
             Beginning() + Request(1) + FrameOf(3, 0, 1, Number(8)) + FrameOf(0, 0, 1, "x"),
             Http2Error::kStreamClosed},
        Said{"DataPaddedTooMuch",
             Beginning() + Request(1) + FrameOf(0, kPadded, 1, "\x05x"),
             Http2Error::kProtocol},
        Said{"HeadersOnTheConnection", Beginning() + Request(0), Http2Error::kProtocol},
        Said{"HeadersOnAnEvenStream", Beginning() + Request(2), Http2Error::kProtocol},
        Said{"HeadersOfALowerStream", Beginning() + Request(5) + Request(3), Http2Error::kProtocol},
        Said{"HeadersAfterTheEnd",
             Beginning() + Request(1, kEndStream) + Request(1),
             Http2Error::kStreamClosed},
        Said{"HeadersOfItself",
             Beginning() +
                 FrameOf(1, kEndHeaders | kWithPriority, 1, Number(1) + "\x10" + kHeadersBlock),
             Http2Error::kProtocol},
        Said{"HeadersInterrupted",
             Beginning() + FrameOf(1, 0, 1, kHeadersBlock) + FrameOf(6, 0, 0, "12345678"),
             Http2Error::kProtocol},
        Said{"HeadersContinuedElsewhere",
             Beginning() + FrameOf(1, 0, 1, kHeadersBlock) +
                 FrameOf(kContinuation, kEndHeaders, 3, ""),
             Http2Error::kProtocol},
        Said{"ContinuationOfNothing",
             Beginning() + FrameOf(kContinuation, kEndHeaders, 1, ""),
             Http2Error::kProtocol},
        Said{"HeadersThatCannotBeRead",
             Beginning() + FrameOf(1, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff\xff"),
             Http2Error::kCompression},
        Said{"ResetOnTheConnection",
             Beginning() + FrameOf(3, 0, 0, Number(8)),
             Http2Error::kProtocol},
        Said{"ResetOfAnIdleStream",
             Beginning() + FrameOf(3, 0, 1, Number(8)),
             Http2Error::kProtocol},
        Said{"ResetOfTheWrongSize",
             Beginning() + Request(1) + FrameOf(3, 0, 1, "abc"),
             Http2Error::kFrameSize},
        Said{"SettingsOnAStream", Beginning() + FrameOf(4, 0, 1, ""), Http2Error::kProtocol},
        Said{"SettingsOfTheWrongSize",
             Beginning() + FrameOf(4, 0, 0, "abc"),
             Http2Error::kFrameSize},
        Said{"AcknowledgedSettingsWithContent",
             Beginning() + FrameOf(4, kAck, 0, std::string(6, '\0')),
             Http2Error::kFrameSize},
        Said{"PushSettingOfTwo",
             Beginning() + FrameOf(4, 0, 0, std::string("\0\2\0\0\0\2", 6)),
             Http2Error::kProtocol},
        Said{"WindowSettingTooLarge",
             Beginning() + FrameOf(4, 0, 0, std::string("\0\4\x80\0\0\0", 6)),
             Http2Error::kFlowControl},
        Said{"FrameSizeSettingTooSmall",
             Beginning() + FrameOf(4, 0, 0, std::string("\0\5\0\0\x3f\xff", 6)),
             Http2Error::kProtocol},
        Said{"WindowsOverflowBySettings",
             Beginning() + Request(1) + FrameOf(8, 0, 1, Number(0x7fffffff - 65535)) +
                 FrameOf(4, 0, 0, std::string("\0\4\0\1\0\0", 6)),
             Http2Error::kFlowControl},
        Said{"PingOnAStream", Beginning() + FrameOf(6, 0, 1, "12345678"), Http2Error::kProtocol},
        Said{"PingOfTheWrongSize", Beginning() + FrameOf(6, 0, 0, "1234"), Http2Error::kFrameSize},
        Said{"GoAwayOnAStream", Beginning() + FrameOf(7, 0, 1, "12345678"), Http2Error::kProtocol},
        Said{
            "GoAwayOfTheWrongSize", Beginning() + FrameOf(7, 0, 0, "1234"), Http2Error::kFrameSize},
        Said{"WindowUpdateByNothing",
             Beginning() + FrameOf(8, 0, 0, Number(0)),
             Http2Error::kProtocol},
        Said{"WindowUpdateTooLarge",
             Beginning() + FrameOf(8, 0, 0, Number(0x7fffffff)),
             Http2Error::kFlowControl},
        Said{"WindowUpdateOfAnIdleStream",
             Beginning() + FrameOf(8, 0, 1, Number(1)),
             Http2Error::kProtocol},
        Said{"WindowUpdateOfTheWrongSize",
             Beginning() + FrameOf(8, 0, 0, "abc"),
             Http2Error::kFrameSize},
        Said{"PriorityOnTheConnection",
             Beginning() + FrameOf(kPriority, 0, 0, Number(0) + "x"),
             Http2Error::kProtocol},
        Said{"PriorityOfItself",
             Beginning() + FrameOf(kPriority, 0, 3, Number(3) + "x"),
             Http2Error::kProtocol},
        Said{"PriorityOfTheWrongSize",
             Beginning() + FrameOf(kPriority, 0, 3, "abc"),
             Http2Error::kFrameSize},
        Said{"APush",
             Beginning() + FrameOf(kPushPromise, kEndHeaders, 1, Number(2)),
             Http2Error::kProtocol},
        Said{"AFrameTooLarge",
             Beginning() + Request(1) + FrameOf(0, 0, 1, std::string(16385, 'x')),
             Http2Error::kFrameSize}),
    [](const testing::TestParamInfo<Said>& param) { return param.param.name; });

class StreamFaults : public testing::TestWithParam<Said> {};

TEST_P(StreamFaults, ResetTheStreamAlone) {
  Side server{{}};
  EXPECT_TRUE(server.session.Feed(Beginning() + GetParam().bytes).ok())
      << server.session.fault_text();
  const std::optional<std::string> payload = Payload(server.Pull(), http2::kReset);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(http2::NumberAt(*payload, 0), static_cast<uint32_t>(GetParam().error));
  EXPECT_EQ(server.streams.at(0)->close->error, GetParam().error);
  EXPECT_TRUE(server.session.Feed(Request(9)).ok());
  EXPECT_EQ(server.session.streams_open(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    StreamFaults,
    testing::Values(
        Said{"UpperCase",
             RequestOf({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {"Name", "v"}}),
             Http2Error::kProtocol},
        Said{"NoMethod", RequestOf({{":scheme", "http"}, {":path", "/"}}), Http2Error::kProtocol},
        Said{"EmptyPath",
             RequestOf({{":method", "POST"}, {":scheme", "http"}, {":path", ""}}),
             Http2Error::kProtocol},
        Said{"TwoPaths",
             RequestOf({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":path", "/"}}),
             Http2Error::kProtocol},
        Said{"UnknownPseudo",
             RequestOf({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":what", "x"}}),
             Http2Error::kProtocol},
        Said{"PseudoOfAnAnswer",
             RequestOf(
                 {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":status", "200"}}),
             Http2Error::kProtocol},
        Said{"PseudoAfterOthers",
             RequestOf({{":method", "POST"}, {":scheme", "http"}, {"a", "b"}, {":path", "/"}}),
             Http2Error::kProtocol},
        Said{"OfTheConnection",
             RequestOf({{":method", "POST"},
                        {":scheme", "http"},
                        {":path", "/"},
                        {"connection", "close"}}),
             Http2Error::kProtocol},
        Said{"TeOfOtherThings",
             RequestOf({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {"te", "gzip"}}),
             Http2Error::kProtocol},
        Said{"LineBreakInAValue",
             RequestOf(
                 {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {"a", "b\r\nc: d"}}),
             Http2Error::kProtocol},
        Said{"LessThanItsLength",
             RequestOf({{":method", "POST"},
                        {":scheme", "http"},
                        {":path", "/"},
                        {"content-length", "3"}}),
             Http2Error::kProtocol},
        Said{"TrailersWithoutEnd",
             Request(1) + FrameOf(1, kEndHeaders, 1, HeaderBlock({{"a", "b"}})),
             Http2Error::kProtocol},
        Said{"PseudoInTrailers",
             Request(1) + FrameOf(1, kEndHeaders | kEndStream, 1, HeaderBlock({{":path", "/"}})),
             Http2Error::kProtocol},
        Said{"WindowUpdateByNothing",
             Request(1) + FrameOf(8, 0, 1, Number(0)),
             Http2Error::kProtocol},
        Said{"WindowUpdateTooLarge",
             Request(1) + FrameOf(8, 0, 1, Number(0x7fffffff)),
             Http2Error::kFlowControl}),
    [](const testing::TestParamInfo<Said>& param) { return param.param.name; });

TEST(Http2SessionLimits, AWindowIsGivenBackWhenHalfOfItIsUsed) {
  Side server{{.stream_window_bytes = 65535}};
  const std::string part = FrameOf(0, 0, 1, std::string(16384, 'x'));
  EXPECT_TRUE(server.session.Feed(Beginning() + Request(1)).ok());
  server.Pull();
  EXPECT_TRUE(server.session.Feed(part).ok());
  EXPECT_FALSE(Payload(server.Pull(), http2::kWindowUpdate).has_value());
  EXPECT_TRUE(server.session.Feed(part).ok());
  EXPECT_EQ(Payload(server.Pull(), http2::kWindowUpdate), Number(32768));
  EXPECT_FALSE(server.streams[0]->close.has_value());
}

TEST(Http2SessionLimits, APeerThatOnlySendsControlFramesIsSentAway) {
  Side server{{}};
  std::string pings;
  for (uint32_t i = 0; i <= FloodGuard::kControlFramesMax; ++i)
    pings += FrameOf(6, kAck, 0, "12345678");
  EXPECT_FALSE(server.session.Feed(Beginning() + pings).ok());
  EXPECT_EQ(server.session.fault_text(), "too many control frames without a request");
}

TEST(Http2SessionLimits, APeerThatOpensAndResetsIsSentAway) {
  Side server{{}};
  std::string bytes = Beginning();
  // Far more than are forgiven while this machine has no time for us.
  for (uint32_t i = 0; i < 20'000; ++i) {
    bytes += Request(2 * i + 1) + FrameOf(3, 0, 2 * i + 1, Number(8));
  }
  EXPECT_FALSE(server.session.Feed(bytes).ok());
  EXPECT_EQ(server.session.fault_text(), "too many streams were reset");
}

TEST(Http2SessionLimits, AHeaderBlockInManyFramesIsRefused) {
  Side server{{}};
  std::string bytes = Beginning() + FrameOf(1, 0, 1, kHeadersBlock);
  for (int i = 0; i < 9; ++i) bytes += FrameOf(kContinuation, 0, 1, HeaderBlock({{"a", "b"}}));
  EXPECT_FALSE(server.session.Feed(bytes).ok());
  EXPECT_EQ(server.session.fault_text(), "a header block is in too many frames");
}

TEST(Http2SessionLimits, AServerWithoutRoomRefuses) {
  Side server{{}};
  server.make_stream = nullptr;
  EXPECT_TRUE(
      server.session.Feed(Beginning() + Request(1) + FrameOf(0, kEndStream, 1, "x") + Request(3))
          .ok());
  EXPECT_EQ(http2::NumberAt(*Payload(server.Pull(), http2::kReset), 0), 7U);
  EXPECT_EQ(server.session.streams_open(), 0U);
}

TEST(Http2SessionOfAClient, InformationalAnswersComeBeforeTheRealOne) {
  Side client{{.server = false}};
  const auto call = std::make_shared<Stream>();
  EXPECT_TRUE(client.session.Open(call, kRequest, true).ok());
  EXPECT_TRUE(client.session
                  .Feed(Encode({.type = http2::kSettings}) +
                        FrameOf(1, kEndHeaders, 1, HeaderBlock({{":status", "103"}})) +
                        FrameOf(1, kEndHeaders, 1, HeaderBlock({{":status", "200"}})) +
                        FrameOf(0, kEndStream, 1, "body"))
                  .ok());
  EXPECT_EQ(call->log, ":status=103 end-headers :status=200 end-headers half-close ");
  EXPECT_EQ(call->close->error, Http2Error::kNone);
}

TEST(Http2SessionOfAClient, AnAnswerWithoutStatusIsAFault) {
  for (const std::string& answer : {FrameOf(1, kEndHeaders, 1, HeaderBlock({{"a", "b"}})),
                                    FrameOf(1, kEndHeaders, 1, HeaderBlock({{":status", "101"}})),
                                    FrameOf(1, kEndHeaders, 1, HeaderBlock({{":status", "20"}})),
                                    FrameOf(0, 0, 1, "before the headers")}) {
    Side client{{.server = false}};
    const auto call = std::make_shared<Stream>();
    EXPECT_TRUE(client.session.Open(call, kRequest, true).ok());
    EXPECT_TRUE(client.session.Feed(Encode({.type = http2::kSettings}) + answer).ok());
    client.Pull();
    EXPECT_EQ(call->close->error, Http2Error::kProtocol);
  }
}

TEST(Http2SessionOfAClient, AStreamOfTheServerEndsTheConnection) {
  Side client{{.server = false}};
  EXPECT_FALSE(client.session.Feed(Encode({.type = http2::kSettings}) + Request(2)).ok());
}

}  // namespace
}  // namespace troth::net
