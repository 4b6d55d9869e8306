#pragma once
// What became of a branch call, as the planners understand it. Callers translate a protocol's
// answer into it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace troth {

inline constexpr size_t kBranchOutcomes = 4;
enum class BranchOutcome : uint8_t {
  kSucceeded,
  kFailed,   // an explicit refusal, never a guess
  kOngoing,  // the service is still at it: ask again after the same interval
  kUnknown,  // silence, an error, an unexpected answer: it may have happened; ask again with
             // backoff
};

constexpr std::string_view OutcomeName(BranchOutcome outcome) {
  switch (outcome) {
    case BranchOutcome::kSucceeded: return "succeeded";
    case BranchOutcome::kFailed: return "failed";
    case BranchOutcome::kOngoing: return "ongoing";
    case BranchOutcome::kUnknown: break;
  }
  return "unknown";
}

struct CallResult {
  BranchOutcome outcome = BranchOutcome::kUnknown;
  // The service's text. kFailed: normalised as protocol/server.md 5.2 says ("no money FAILURE").
  // kUnknown: the error, for gRPC in grpc-go's form "rpc error: code = Internal desc = hello".
  std::string text{};
  // gRPC code of the answer when the branch was called by gRPC, else 2 (UNKNOWN): a waiting gRPC
  // submitter is told it.
  int grpc_code = 2;
  // kUnknown: nobody was there to answer (no connection, or it broke).
  bool unreachable = false;
  // kUnknown: not called at all, because nobody has answered there for a while. Then it waits at
  // least this long, unless it is woken because somebody answers again.
  bool held_back = false;
  Duration hold{};
};

}  // namespace troth
