#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/transport/grpc_client.h"
#include "bench/transport/grpc_participant.h"
#include "bench/transport/h2_frames.h"
#include "bench/transport/hpack.h"
#include "bench/transport/http1_client.h"
#include "bench/transport/http1_message.h"
#include "bench/transport/http1_participant.h"

namespace troth::bench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr std::string_view kGid = "0123456789012345678901";

struct Heard {
  uint32_t tag;
  int code;
  std::string text;

  bool operator==(const Heard&) const = default;
};

class Listener : public ClientListener {
 public:
  void OnAnswer(const Answer& answer) override {
    heard.push_back({answer.tag, answer.code, std::string(answer.text)});
  }
  void OnClientLost(const Status& why) override { lost = why; }

  std::vector<Heard> heard;
  Status lost;
};

// Hands over what one end has to say, a few bytes at a time when `piece` is small.
Status Deliver(Protocol& from, Protocol& to, size_t piece = std::string::npos) {
  const std::string bytes = std::exchange(from.out(), {});
  for (std::string_view rest = bytes; !rest.empty();
       rest.remove_prefix(std::min(piece, rest.size()))) {
    TROTH_RETURN_IF_ERROR(to.Feed(rest.substr(0, piece)));
  }
  return OkStatus();
}

TEST(H2Frames, AreCutWhereverTheBytesAreCut) {
  std::string bytes;
  AppendH2Header(bytes, 3, H2Type::kData, kH2EndStream, 7);
  bytes += "abc";
  AppendH2WindowUpdate(bytes, 0, 65536);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    H2FrameReader reader;
    std::vector<std::string> payloads;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.Feed(std::string_view(bytes).substr(at, piece));
      for (H2Frame frame; reader.Next(frame);) payloads.emplace_back(frame.payload);
    }
    EXPECT_THAT(payloads, ElementsAre("abc", std::string("\0\1\0\0", 4))) << piece;
  }
}

TEST(H2Frames, OfTooManyBytesAreAnError) {
  std::string bytes;
  AppendH2Header(bytes, kH2PayloadMax + 1, H2Type::kData, 0, 1);
  H2FrameReader reader;
  reader.Feed(bytes);
  H2Frame frame;
  EXPECT_FALSE(reader.Next(frame));
  EXPECT_FALSE(reader.error().ok());
}

TEST(H2Frames, LosePaddingAndPriority) {
  H2Frame frame{.type = H2Type::kHeaders,
                .flags = kH2Padded | kH2Priority,
                .payload = std::string_view("\2PRIORblock..", 13)};
  ASSERT_TRUE(StripH2Padding(frame).ok());
  EXPECT_EQ(frame.payload, "block");
  H2Frame broken{.type = H2Type::kData, .flags = kH2Padded, .payload = "\x09short"};
  EXPECT_FALSE(StripH2Padding(broken).ok());
}

std::vector<std::string> ReadBlock(HpackReader& reader, std::string_view block) {
  std::vector<std::string> fields;
  const auto read = reader.Read(block);
  if (!read.ok()) return {"unreadable"};
  for (const HeaderField& field : **read) fields.push_back(field.name + "=" + field.value);
  return fields;
}

TEST(Hpack, BlocksAreReadAsWrittenWhateverTheirOrder) {
  HpackWriter writer({{{":status", "200"}, {"content-type", "a"}}, {{"x", "1"}, {"y", "2"}}});
  HpackReader reader;
  for (const size_t block : {0, 1, 0, 0, 1, 1, 0}) {
    const auto fields = ReadBlock(reader, writer.Block(block));
    if (block == 0) {
      EXPECT_THAT(fields, ElementsAre(":status=200", "content-type=a"));
    } else {
      EXPECT_THAT(fields, ElementsAre("x=1", "y=2"));
    }
  }
}

TEST(Hpack, ABlockSentBeforeIsIndicesOnly) {
  HpackWriter writer({{{":method", "POST"}, {"grpc-timeout", "30S"}}});
  EXPECT_GT(writer.Block(0).size(), 2U);
  EXPECT_THAT(writer.Block(0), SizeIs(2));
}

TEST(Hpack, APeerWithoutATableGetsLiterals) {
  HpackWriter writer({{{"x", "1"}}});
  HpackReader reader;
  EXPECT_THAT(ReadBlock(reader, writer.Block(0)), ElementsAre("x=1"));
  writer.SetTableSize(0);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(ReadBlock(reader, writer.Block(0)), ElementsAre("x=1"));
}

class GrpcTest : public testing::Test {
 protected:
  void Connect(Behaviour behaviour, size_t piece = std::string::npos) {
    piece_ = piece;
    participant_ = std::make_unique<GrpcParticipant>(behaviour, counts_);
    client_ = std::make_unique<GrpcClient>(requests_, "127.0.0.1:1", listener_);
    Exchange();
  }
  void Exchange() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(Deliver(*client_, *participant_, piece_).ok());
      ASSERT_TRUE(Deliver(*participant_, *client_, piece_).ok());
    }
  }

  const std::vector<Request> requests_ = {{"/s/A", "<", ">"}, {"/s/B", "", ""}};
  Listener listener_;
  ParticipantCounts counts_;
  size_t piece_ = 0;
  std::unique_ptr<GrpcParticipant> participant_;
  std::unique_ptr<GrpcClient> client_;
};

TEST_F(GrpcTest, CallsAreAnsweredAndCounted) {
  Connect(Behaviour::kSucceeds, 5);
  client_->Send(0, kGid, 8);
  client_->Send(1, kGid, 9);
  Exchange();
  client_->Send(0, kGid, 10);
  Exchange();
  EXPECT_THAT(listener_.heard, ElementsAre(Heard{8, 0, ""}, Heard{9, 0, ""}, Heard{10, 0, ""}));
  EXPECT_EQ(counts_.calls, 3U);
  EXPECT_THAT(counts_.paths, ElementsAre(Pair("/s/A", 2), Pair("/s/B", 1)));
}

TEST_F(GrpcTest, ARefusalIsAborted) {
  Connect(Behaviour::kRefuses);
  client_->Send(0, kGid, 1);
  Exchange();
  EXPECT_THAT(listener_.heard, ElementsAre(Heard{1, 10, "FAILURE"}));
}

TEST_F(GrpcTest, NothingIsSentBeyondThePeersWindow) {
  Connect(Behaviour::kSucceeds);
  const std::vector<Request> large = {{"/s/A", std::string(10'000, 'x'), ""}};
  client_ = std::make_unique<GrpcClient>(large, "127.0.0.1:1", listener_);
  uint32_t sent = 0;
  for (; client_->Ready(0); ++sent) client_->Send(0, kGid, sent);
  EXPECT_EQ(sent, 6U);  // of 65,535 bytes
  std::string update;
  AppendH2WindowUpdate(update, 0, 10'027);
  ASSERT_TRUE(client_->Feed(update).ok());
  EXPECT_TRUE(client_->Ready(0));
}

TEST_F(GrpcTest, AnswersWaitForThePeersWindow) {
  Connect(Behaviour::kSucceeds);
  std::string no_window;
  AppendH2Setting(no_window, 4, 0);  // SETTINGS_INITIAL_WINDOW_SIZE
  std::string frame;
  AppendH2Header(frame, no_window.size(), H2Type::kSettings, 0, 0);
  ASSERT_TRUE(participant_->Feed(frame + no_window).ok());
  client_->Send(0, kGid, 1);
  Exchange();
  EXPECT_THAT(listener_.heard, IsEmpty());
  std::string window;
  AppendH2Setting(window, 4, 100);
  ASSERT_TRUE(participant_->Feed(frame + window).ok());
  Exchange();
  EXPECT_THAT(listener_.heard, ElementsAre(Heard{1, 0, ""}));
}

TEST_F(GrpcTest, GoAwayEndsWhatThePeerWillNotHandle) {
  Connect(Behaviour::kSucceeds);
  client_->Send(0, kGid, 1);
  client_->Send(0, kGid, 2);
  std::string go_away;
  AppendH2Header(go_away, 8, H2Type::kGoAway, 0, 0);
  AppendUint32(go_away, 1);  // the last stream
  AppendUint32(go_away, 0);
  ASSERT_TRUE(client_->Feed(go_away).ok());
  EXPECT_FALSE(client_->Ready(0));
  EXPECT_THAT(listener_.heard, ElementsAre(Heard{2, kNoAnswer, "GOAWAY, error 0"}));
  Exchange();
  EXPECT_THAT(listener_.heard, SizeIs(2));
}

TEST_F(GrpcTest, PingsAreAnswered) {
  Connect(Behaviour::kSucceeds);
  std::string ping;
  AppendH2Header(ping, 8, H2Type::kPing, 0, 0);
  ping += "12345678";
  ASSERT_TRUE(client_->Feed(ping).ok());
  std::string expected;
  AppendH2Header(expected, 8, H2Type::kPing, kH2Ack, 0);
  EXPECT_EQ(client_->out(), expected + "12345678");
}

TEST_F(GrpcTest, AResetStreamHasNoAnswer) {
  Connect(Behaviour::kSucceeds);
  client_->Send(0, kGid, 3);
  std::string reset;
  AppendH2Header(reset, 4, H2Type::kRstStream, 0, 1);
  AppendUint32(reset, 7);
  ASSERT_TRUE(client_->Feed(reset).ok());
  EXPECT_THAT(listener_.heard, ElementsAre(Heard{3, kNoAnswer, "RST_STREAM, error 7"}));
}

TEST(Http1, RequestsAreAnsweredAndCountedHoweverTheyAreCut) {
  const std::vector<Request> requests = {{"/api/a", "{\"gid\":\"", "\"}"}};
  for (const size_t piece : {size_t{1}, size_t{7}, std::string::npos}) {
    Listener listener;
    ParticipantCounts counts;
    Http1Client client(requests, "127.0.0.1:1", listener);
    Http1Participant participant(Behaviour::kRefuses, counts);
    for (uint32_t tag = 0; tag < 2; ++tag) {
      ASSERT_TRUE(client.Ready(0));
      client.Send(0, kGid, tag);
      EXPECT_FALSE(client.Ready(0));
      ASSERT_TRUE(Deliver(client, participant, piece).ok());
      ASSERT_TRUE(Deliver(participant, client, piece).ok());
    }
    const std::string refused = R"({"dtm_result":"FAILURE"})";
    EXPECT_THAT(listener.heard, ElementsAre(Heard{0, 409, refused}, Heard{1, 409, refused}));
    EXPECT_THAT(counts.paths, ElementsAre(Pair("/api/a", 2)));
  }
}

TEST(Http1, WhatCannotBeReadIsAnError) {
  for (const std::string_view head : {"Transfer-Encoding: chunked", "Content-Length: x"}) {
    Http1Reader reader;
    const std::string bytes = "HTTP/1.1 200 OK\r\n" + std::string(head) + "\r\n\r\n";
    reader.Feed(bytes);
    Http1Message message;
    EXPECT_FALSE(reader.Next(message));
    EXPECT_FALSE(reader.error().ok()) << head;
  }
}

}  // namespace
}  // namespace troth::bench
