#include "bench/transport/http1_participant.h"

#include <string>
#include <string_view>

namespace troth::bench {
namespace {

constexpr std::string_view kAccepted =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    R"({"dtm_result":"SUCCESS"})";
constexpr std::string_view kRefused =
    "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    R"({"dtm_result":"FAILURE"})";

}  // namespace

Status Http1Participant::Feed(std::string_view bytes) {
  reader_.Feed(bytes);
  for (Http1Message call; reader_.Next(call);) {
    ++counts_.calls;
    if (paths_read_ < kPathsRead) {
      ++paths_read_;
      const std::string_view target = SecondWord(call.start_line);
      ++counts_.paths[std::string(target.substr(0, target.find('?')))];
    }
    out_ += behaviour_ == Behaviour::kSucceeds ? kAccepted : kRefused;
  }
  return reader_.error();
}

}  // namespace troth::bench
