#pragma once
// An answer of the manager -> HTTP, gRPC and JSON-RPC (protocol/server.md 2.1, 3, 4.3).

#include <string>
#include <string_view>

#include "net/grpc_status.h"
#include "net/http1_server.h"
#include "runtime/shard_thread.h"

namespace troth {

inline constexpr std::string_view kSuccessJson = R"({"dtm_result":"SUCCESS"})";

net::HttpResponse ToHttp(const ClientAnswer& answer);
net::GrpcStatus ToGrpc(const ClientAnswer& answer);

// A request that was refused before it reached the manager. dtm answers 500 to bad requests, never
// 400.
net::HttpResponse HttpError(const Status& status);
net::GrpcStatus GrpcError(const Status& status);

// {"message": text}
std::string MessageJson(std::string_view text);

}  // namespace troth
