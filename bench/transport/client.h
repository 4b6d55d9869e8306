#pragma once
// A client's end of a connection to the server under measurement, by gRPC or by HTTP/1.1.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "bench/transport/protocol.h"

namespace troth::bench {

// A request, all but the transaction's gid made beforehand. Gids are of one length.
struct Request {
  std::string path;        // "/dtmgimp.Dtm/Submit" or "/api/dtmsvr/submit"
  std::string before_gid;  // of the message
  std::string after_gid;
};

constexpr size_t kGidBytes = 22;  // as dtm's clients make them

struct Answer {
  uint32_t tag = 0;            // of the request
  int code = 0;                // grpc-status, or HTTP's
  std::string_view text = {};  // what the server says of it, if anything
};

// An answer's code when the stream or connection ended instead.
constexpr int kNoAnswer = -1;

class ClientListener {
 public:
  virtual ~ClientListener() = default;
  virtual void OnAnswer(const Answer& answer) = 0;
  // The connection is gone; its open requests get no answer.
  virtual void OnClientLost(const Status& why) = 0;
};

class Client {
 public:
  virtual ~Client() = default;
  // Whether Send may be called now.
  virtual bool Ready(size_t request) const = 0;
  // Request number `request`; its answer comes with `tag`.
  virtual void Send(size_t request, std::string_view gid, uint32_t tag) = 0;
  virtual Protocol& protocol() = 0;
};

}  // namespace troth::bench
