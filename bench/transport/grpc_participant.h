#pragma once
// A gRPC service's end of a connection: the answer to any call is the same few frames.

#include <deque>

#include "bench/transport/h2_connection.h"
#include "bench/transport/hpack.h"
#include "bench/transport/participant.h"

namespace troth::bench {

class GrpcParticipant final : public H2Connection {
 public:
  // The counts outlive it.
  GrpcParticipant(Behaviour behaviour, ParticipantCounts& counts);

 private:
  Status OnHeaders(uint32_t stream, std::string_view block, bool end_stream) override;
  Status OnData(uint32_t stream, std::string_view bytes, bool end_stream) override;
  void OnReset(uint32_t stream, uint32_t error) override;
  void OnGoAway(uint32_t last_stream, uint32_t error) override;
  void OnHeaderTableSize(uint32_t bytes) override { writer_.SetTableSize(bytes); }
  void OnWindow() override;

  Status CountPath(std::string_view block);
  void Answer(uint32_t stream);
  void Accept(uint32_t stream);
  void Refuse(uint32_t stream);
  void AppendHeaders(uint32_t stream, size_t block, bool end_stream);

  const Behaviour behaviour_;
  ParticipantCounts& counts_;
  HpackWriter writer_;
  HpackReader reader_;
  uint64_t paths_read_ = 0;
  std::deque<uint32_t> waiting_;  // for room in the peer's window; bounded by its open streams
};

}  // namespace troth::bench
