// Requests of HTTP/1.1 one after another on a connection, cut as a socket cuts them.

#include <string>

#include "base/check.h"
#include "input.h"
#include "net/http1_request_reader_internal.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

using net::HttpRequestReader;
using Phase = HttpRequestReader::Phase;

constexpr net::HttpRequestLimits kLimits{.header_bytes_max = 4096, .body_bytes_max = 4096};

void CheckRequest(const net::HttpRequest& request) {
  TROTH_CHECK(!request.method.empty() && !request.path.empty());
  TROTH_CHECK(request.body.size() <= kLimits.body_bytes_max);
  size_t header_bytes = 0;
  for (const auto& [name, value] : request.headers) {
    TROTH_CHECK(value.find_first_of("\r\n") == std::string::npos);
    header_bytes += name.size() + value.size();
  }
  TROTH_CHECK(header_bytes <= kLimits.header_bytes_max);
  static_cast<void>(request.Param("gid"));
}

}  // namespace

void FuzzHttp1Request(std::string_view bytes) {
  Input input(bytes);
  const size_t piece = input.Byte();
  HttpRequestReader reader(kLimits);
  std::string unread;
  InPieces(input.rest(), piece, [&](std::string_view part) {
    unread += part;
    while (reader.phase() != Phase::kRefused) {
      const size_t used = reader.Feed(unread);
      TROTH_CHECK(used <= unread.size());
      unread.erase(0, used);
      if (reader.phase() != Phase::kDone) break;
      CheckRequest(reader.Take());
    }
  });
  if (reader.phase() == Phase::kRefused) TROTH_CHECK(reader.refusal().status >= 400);
}

}  // namespace troth::fuzz
