// Answers of HTTP/1.1 servers that we call.

#include <string>

#include "base/check.h"
#include "input.h"
#include "net/http1_answer_reader_internal.h"
#include "targets.h"

namespace troth::fuzz {

void FuzzHttp1Answer(std::string_view bytes) {
  constexpr net::HttpAnswerLimits kLimits{.header_bytes_max = 4096, .body_bytes_max = 4096};
  Input input(bytes);
  const bool no_body = (input.Byte() & 1) != 0;
  const size_t piece = input.Byte();
  net::HttpAnswerReader reader(kLimits, no_body);
  std::string unread;
  InPieces(input.rest(), piece, [&](std::string_view part) {
    unread += part;
    const size_t used = reader.Feed(unread);
    TROTH_CHECK(used <= unread.size());
    unread.erase(0, used);
  });
  reader.FeedEnd();
  TROTH_CHECK(!reader.done() || reader.error().ok());
  if (!reader.done()) return;
  if (const auto answer = reader.Take(); answer.ok()) {
    TROTH_CHECK(answer->body.size() <= kLimits.body_bytes_max);
  }
}

}  // namespace troth::fuzz
