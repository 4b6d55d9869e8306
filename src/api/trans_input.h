#pragma once
// What a client says about a transaction, whatever wire it came by, and its translation into the
// engine's request. Everything a client can get wrong is found here, before anything is stored
// (protocol/server.md 2.3, 2.6, 4.2).

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/event.h"
#include "engine/limits.h"

namespace troth {

// What stands under the key is moved out; "" when nothing does.
std::string TakeText(std::map<std::string, std::string>& fields, const std::string& key);

struct StepInput {
  std::string action;
  std::string compensate;
};

// The trans body of HTTP and JSON-RPC, or a DtmRequest.
struct TransInput {
  std::string gid;
  std::string trans_type;
  std::string protocol;  // "" is http
  std::vector<StepInput> steps;
  std::vector<std::string> payloads;
  std::string query_prepared;
  std::string custom_data;
  std::string rollback_reason;
  std::map<std::string, std::string> req_extra;
  TransOptions options;
};

// The body of registerBranch, or a DtmBranchRequest.
struct BranchInput {
  std::string gid;
  std::string trans_type;
  std::string branch_id;
  std::map<std::string, std::string> data;  // confirm, cancel | url | op, status
  std::string payload;
};

// Subscribers of a topic, for steps "topic://name"; nothing when nobody subscribed.
class TopicReader {
 public:
  virtual ~TopicReader() = default;
  virtual std::vector<std::string> Subscribers(std::string_view topic) const = 0;
};

// InvalidArgument with a text for the client; nothing of the request is kept then. Abort, forceStop
// and resetNextCronTime look at gid, trans_type and rollback_reason only.
StatusOr<Request> MakeRequest(RequestKind kind,
                              TransInput input,
                              const Limits& limits,
                              const TopicReader& topics);

StatusOr<Request> MakeBranchRequest(BranchInput input, const Limits& limits);

}  // namespace troth
