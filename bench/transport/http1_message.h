#pragma once
// Messages of HTTP/1.1 as servers and clients of JSON send them: a head, and a body whose length
// the head tells.

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace troth::bench {

struct Http1Message {
  std::string_view start_line;  // "POST /path HTTP/1.1" or "HTTP/1.1 200 OK"
  std::string_view body;
};

// Cuts bytes into messages, however they arrive.
class Http1Reader {
 public:
  // `bytes` must stay until Next has returned false.
  void Feed(std::string_view bytes);
  // The next whole message, valid until the following Feed. False: there is none; error() tells
  // whether there never will be.
  bool Next(Http1Message& message);
  const Status& error() const { return error_; }

 private:
  void KeepRest();

  std::string carried_;
  std::string_view rest_;
  Status error_;
};

// The second word of a start line: a request's target, an answer's code.
std::string_view SecondWord(std::string_view start_line);

}  // namespace troth::bench
