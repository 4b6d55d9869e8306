// What a client sends to a server's HTTP/2 connection. Streams answer as calls do: they read gRPC
// messages and send each back.

#include <array>
#include <utility>

#include "base/check.h"
#include "http2_frames.h"
#include "net/grpc_message_reader.h"
#include "net/grpc_wire.h"
#include "net/http2/session.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

using net::Http2Header;
using net::MessageReader;

struct Streams {
  int opened = 0;
  int closed = 0;
};

class Echo final : public net::Http2Stream {
 public:
  explicit Echo(Streams& streams) : streams_(streams) { ++streams_.opened; }

 private:
  void OnHeader(std::string_view name, std::string_view value) override {
    TROTH_CHECK(!closed_ && !name.empty());
    if (name == "grpc-encoding") reader_.SetEncoding(value);
  }
  void OnHeadersEnd(bool) override {
    TROTH_CHECK(!closed_);
    const std::array<Http2Header, 1> headers = {Http2Header{.name = ":status", .value = "200"}};
    SendHeaders(headers, false);
  }
  void OnData(std::string_view bytes) override {
    TROTH_CHECK(!closed_);
    std::string message;
    MessageReader::Result result;
    while ((result = reader_.Next(bytes, message)) == MessageReader::Result::kMessage) {
      SendData(net::MessagePrefix(message.size()));
      SendData(std::move(message));
    }
    if (result == MessageReader::Result::kError) Reset(net::Http2Error::kCancel);
  }
  void OnHalfClose() override { EndWithTrailers(); }
  void AddTrailers(std::vector<Http2Header>& trailers) override {
    trailers.push_back({.name = "grpc-status", .value = "0"});
  }
  void OnClose(const net::Http2Close&) override {
    TROTH_CHECK(!std::exchange(closed_, true));
    ++streams_.closed;
  }

  Streams& streams_;
  MessageReader reader_{1 << 16};
  bool closed_ = false;
};

class Server final : public net::Http2Session::Listener {
 public:
  Streams streams;

 private:
  void OnWantsWrite() override {}
  std::shared_ptr<net::Http2Stream> OnNewStream() override {
    return std::make_shared<Echo>(streams);
  }
};

constexpr size_t kPullBytes = 1 << 16;

}  // namespace

void FuzzHttp2Server(std::string_view bytes) {
  Input input(bytes);
  const size_t piece = input.Byte();
  const std::string received = Http2Bytes(input, true);

  Server server;
  net::Http2Session session({.streams_max = 8}, server);
  bool broken = false;
  InPieces(received, piece, [&](std::string_view part) {
    if (broken) return;  // a connection that broke is read no more
    broken = !session.Feed(part).ok();
    std::string out;
    session.Pull(out, kPullBytes);
  });
  TROTH_CHECK(!broken || !session.fault_text().empty());
  session.Close();
  TROTH_CHECK(server.streams.opened == server.streams.closed);
  TROTH_CHECK(session.streams_open() == 0 && session.unsent_bytes() == 0);
}

}  // namespace troth::fuzz
