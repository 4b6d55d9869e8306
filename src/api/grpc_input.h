#pragma once
// The protobuf messages of the gRPC API -> what the client says. Pure functions.

#include <string>

#include "api/trans_input.h"
#include "base/status.h"

namespace troth {

// All: InvalidArgument when the bytes are no such message.

// A DtmRequest, its Steps (JSON text) read too.
StatusOr<TransInput> ReadGrpcTrans(const std::string& message);
// A DtmBranchRequest.
StatusOr<BranchInput> ReadGrpcBranch(const std::string& message);

// A DtmTopicRequest.
struct GrpcTopicInput {
  std::string topic;
  std::string url;
  std::string remark;
};
StatusOr<GrpcTopicInput> ReadGrpcTopic(const std::string& message);

}  // namespace troth
