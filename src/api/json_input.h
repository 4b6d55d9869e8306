#pragma once
// The JSON bodies of HTTP and JSON-RPC -> what the client says.

#include "api/trans_input.h"
#include "wire/json_reader.h"

namespace troth {

// The trans body (protocol/server.md 2.3).
StatusOr<TransInput> ReadTransInput(const JsonObject& body);

// The flat string map of registerBranch (2.6).
StatusOr<BranchInput> ReadBranchInput(const JsonObject& body);

// dtm's HTTP entry removes line breaks and ';' from a gid.
std::string CleanGid(std::string_view gid);

}  // namespace troth
