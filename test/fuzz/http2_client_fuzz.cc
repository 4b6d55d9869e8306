// What a server sends to a client's HTTP/2 connection on which calls are open.

#include <array>
#include <memory>
#include <utility>

#include "base/check.h"
#include "http2_frames.h"
#include "net/grpc_message_reader.h"
#include "net/http2/session.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

using net::Http2Header;
using net::MessageReader;

class Call final : public net::Http2Stream {
 public:
  explicit Call(int& ended) : ended_(ended) {}

 private:
  void OnHeader(std::string_view name, std::string_view) override {
    TROTH_CHECK(!closed_ && !name.empty());
  }
  void OnHeadersEnd(bool) override { TROTH_CHECK(!closed_); }
  void OnData(std::string_view bytes) override {
    TROTH_CHECK(!closed_);
    std::string message;
    while (reader_.Next(bytes, message) == MessageReader::Result::kMessage) {
    }
    if (!reader_.error().ok()) Reset(net::Http2Error::kCancel);
  }
  void OnHalfClose() override { TROTH_CHECK(!closed_); }
  void OnClose(const net::Http2Close& close) override {
    TROTH_CHECK(!std::exchange(closed_, true));
    // Both are told of an unopened stream only when it is certain.
    TROTH_CHECK(!close.never_handled || close.error != net::Http2Error::kNone ||
                close.connection_lost);
    ++ended_;
  }

  int& ended_;
  MessageReader reader_{1 << 16};
  bool closed_ = false;
};

class Client final : public net::Http2Session::Listener {
  void OnWantsWrite() override {}
};

constexpr int kCalls = 3;
constexpr size_t kPullBytes = 1 << 16;

}  // namespace

void FuzzHttp2Client(std::string_view bytes) {
  Input input(bytes);
  const size_t piece = input.Byte();
  const std::string received = Http2Bytes(input, false);

  Client client;
  net::Http2Session session({.server = false}, client);
  const std::array<Http2Header, 4> headers = {Http2Header{.name = ":method", .value = "POST"},
                                              Http2Header{.name = ":scheme", .value = "http"},
                                              Http2Header{.name = ":path", .value = "/s/M"},
                                              Http2Header{.name = ":authority", .value = "h"}};
  int opened = 0;
  int ended = 0;
  for (int i = 0; i < kCalls; ++i) {
    const auto call = std::make_shared<Call>(ended);
    if (session.Open(call, headers, false).ok()) ++opened;
    call->SendData(std::string_view("\0\0\0\0\1x", 6));
    call->EndSend();
  }
  bool broken = false;
  std::string out;
  session.Pull(out, kPullBytes);
  InPieces(received, piece, [&](std::string_view part) {
    if (broken) return;
    broken = !session.Feed(part).ok();
    out.clear();
    session.Pull(out, kPullBytes);
  });
  session.Close();
  TROTH_CHECK(opened == kCalls && ended == kCalls);
  TROTH_CHECK(session.streams_open() == 0 && session.unsent_bytes() == 0);
}

}  // namespace troth::fuzz
