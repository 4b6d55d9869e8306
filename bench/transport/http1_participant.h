#pragma once
// A JSON service's end of a connection: the answer to any request is the same bytes.

#include "bench/transport/http1_message.h"
#include "bench/transport/participant.h"
#include "bench/transport/protocol.h"

namespace troth::bench {

class Http1Participant final : public Protocol {
 public:
  // The counts outlive it.
  Http1Participant(Behaviour behaviour, ParticipantCounts& counts)
      : behaviour_(behaviour), counts_(counts) {}

  Status Feed(std::string_view bytes) override;

 private:
  const Behaviour behaviour_;
  ParticipantCounts& counts_;
  Http1Reader reader_;
  uint64_t paths_read_ = 0;
};

}  // namespace troth::bench
