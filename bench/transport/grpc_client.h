#pragma once
// Unary gRPC calls over one HTTP/2 connection: two frames a call, all bytes but stream, gid and
// lengths made beforehand; every answer's status is read.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bench/transport/client.h"
#include "bench/transport/h2_connection.h"
#include "bench/transport/hpack.h"

namespace troth::bench {

class GrpcClient final : public H2Connection, public Client {
 public:
  // `requests` and the listener outlive it. `authority` is host:port.
  GrpcClient(const std::vector<Request>& requests,
             const std::string& authority,
             ClientListener& listener);

  bool Ready(size_t request) const override;
  void Send(size_t request, std::string_view gid, uint32_t tag) override;
  Protocol& protocol() override { return *this; }
  void OnLost(const Status& why) override { listener_.OnClientLost(why); }

 private:
  struct Open {
    uint32_t tag;
    int http_status;
  };

  Status OnHeaders(uint32_t stream, std::string_view block, bool end_stream) override;
  Status OnData(uint32_t stream, std::string_view bytes, bool end_stream) override;
  void OnReset(uint32_t stream, uint32_t error) override;
  void OnGoAway(uint32_t last_stream, uint32_t error) override;
  void OnHeaderTableSize(uint32_t bytes) override { writer_.SetTableSize(bytes); }
  void Finish(uint32_t stream, int code, std::string_view text);
  size_t MessageBytes(size_t request) const;

  const std::vector<Request>& requests_;
  ClientListener& listener_;
  HpackWriter writer_;
  HpackReader reader_;
  absl::flat_hash_map<uint32_t, Open> open_;
  uint32_t next_stream_ = 1;
  bool going_away_ = false;
};

}  // namespace troth::bench
