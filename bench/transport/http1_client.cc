#include "bench/transport/http1_client.h"

#include "base/text.h"

namespace troth::bench {

Http1Client::Http1Client(const std::vector<Request>& requests,
                         const std::string& authority,
                         ClientListener& listener)
    : requests_(requests), listener_(listener) {
  for (const Request& request : requests) {
    heads_.push_back(Cat("POST ",
                         request.path,
                         " HTTP/1.1\r\nHost: ",
                         authority,
                         "\r\nContent-Type: application/json\r\nContent-Length: ",
                         request.before_gid.size() + kGidBytes + request.after_gid.size(),
                         "\r\n\r\n"));
  }
}

bool Http1Client::Ready(size_t request) const {
  static_cast<void>(request);
  return !busy_;
}

void Http1Client::Send(size_t request, std::string_view gid, uint32_t tag) {
  tag_ = tag;
  busy_ = true;
  out_ += heads_[request];
  out_ += requests_[request].before_gid;
  out_ += gid;
  out_ += requests_[request].after_gid;
}

Status Http1Client::Feed(std::string_view bytes) {
  reader_.Feed(bytes);
  for (Http1Message answer; reader_.Next(answer);) {
    if (!busy_) return InvalidArgument("an answer that nobody asked for");
    busy_ = false;
    const auto code = static_cast<int>(ParseInt(SecondWord(answer.start_line)).value_or(kNoAnswer));
    listener_.OnAnswer({.tag = tag_, .code = code, .text = answer.body});
  }
  return reader_.error();
}

}  // namespace troth::bench
