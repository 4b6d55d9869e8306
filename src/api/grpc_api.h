#pragma once
// The gRPC service dtmgimp.Dtm: decodes, checks, hands on, encodes. protocol/server.md section 4.

#include <string>

#include "api/api_context.h"
#include "net/grpc_server.h"

namespace troth {

// Adds all methods to the server. `context` outlives it.
void RegisterGrpcApi(ApiContext& context, net::GrpcServer& server);

// The service's files with all they import, as a serialized google.protobuf.FileDescriptorSet, for
// reflection.
std::string GrpcApiDescriptors();

}  // namespace troth
