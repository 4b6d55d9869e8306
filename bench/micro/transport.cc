// HTTP/2 with unary calls, bytes handed from one session to the other: framing, header compression
// and windows of both ends. A turn carries as many calls as are in flight.

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

#include "base/check.h"
#include "net/http2/session.h"

namespace troth {
namespace {

using net::Http2Close;
using net::Http2Header;
using net::Http2Session;
using net::Http2Stream;

constexpr size_t kPullLimit = 1 << 20;
constexpr std::string_view kEmptyMessage("\0\0\0\0\0", 5);

class Stream : public Http2Stream {
 protected:
  void OnHeader(std::string_view name, std::string_view value) override {
    benchmark::DoNotOptimize(name.data());
    benchmark::DoNotOptimize(value.data());
  }
  void OnHeadersEnd(bool) override {}
  void OnData(std::string_view) override {}
  void OnHalfClose() override {}
  void OnClose(const Http2Close&) override {}
};

// Answers a request at its end.
class ServerStream : public Stream {
 protected:
  void OnHalfClose() override {
    constexpr std::array kHeaders = {Http2Header{":status", "200"},
                                     Http2Header{"content-type", "application/grpc"}};
    SendHeaders(kHeaders, false);
    SendData(kEmptyMessage);
    EndWithTrailers();
  }
  void AddTrailers(std::vector<Http2Header>& trailers) override {
    trailers.push_back(Http2Header{"grpc-status", "0"});
  }
};

class Ends : public Http2Session::Listener {
 public:
  void OnWantsWrite() override {}
  std::shared_ptr<Http2Stream> OnNewStream() override { return std::make_shared<ServerStream>(); }
};

void Move(Http2Session& from, Http2Session& to, std::string& buffer) {
  buffer.clear();
  from.Pull(buffer, kPullLimit);
  TROTH_CHECK(to.Feed(buffer).ok());
}

void OpenCall(Http2Session& client, const std::string& gid) {
  const std::array headers = {Http2Header{":method", "POST"},
                              Http2Header{":scheme", "http"},
                              Http2Header{":path", "/api.trans.v1.Trans/TransOut"},
                              Http2Header{":authority", "127.0.0.1:8082"},
                              Http2Header{"content-type", "application/grpc"},
                              Http2Header{"te", "trailers"},
                              Http2Header{.name = "dtm-gid", .value = gid, .never_index = true}};
  auto stream = std::make_shared<Stream>();
  TROTH_CHECK(client.Open(stream, headers, false).ok());
  stream->SendData(kEmptyMessage);
  stream->EndSend();
}

void UnaryCalls(benchmark::State& state) {
  const auto in_flight = state.range(0);
  Ends ends;
  Http2Session client({.server = false}, ends);
  Http2Session server({}, ends);
  std::string buffer;
  const std::string gid = "EYokBjg7vYV86Ytwxmfej7";
  for (auto turn : state) {
    for (int64_t i = 0; i < in_flight; ++i) OpenCall(client, gid);
    Move(client, server, buffer);
    Move(server, client, buffer);
    Move(client, server, buffer);  // acknowledgements
    TROTH_CHECK(client.streams_open() == 0);
  }
  state.SetItemsProcessed(state.iterations() * in_flight);
}
BENCHMARK(UnaryCalls)->Arg(1)->Arg(16)->Arg(64);

}  // namespace
}  // namespace troth
