#pragma once
// Requests of dtm's protocol with a place for the gid, as bytes made once: protobuf for gRPC, JSON
// for HTTP. Written by hand, because the generator must not cost what a library costs.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/transport/client.h"

namespace troth::bench {

enum class Wire : uint8_t { kGrpc, kHttp };

// What a branch does and what undoes it; a message has no compensation.
struct Step {
  std::string action;
  std::string compensate;
};

struct Trans {
  std::string_view type;  // "msg", "saga", "tcc"
  std::vector<Step> steps;
  std::string custom_data;  // JSON text
  bool wait_result = true;
};

Request SubmitRequest(Wire wire, const Trans& trans);
// Tcc: a transaction that is decided later.
Request PrepareRequest(Wire wire, const Trans& trans);
struct TccBranch {
  std::string_view id;
  std::string confirm;
  std::string cancel;
};
Request RegisterTccRequest(Wire wire, const TccBranch& branch);

}  // namespace troth::bench
