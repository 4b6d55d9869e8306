#pragma once
// What both sides of a gRPC call share: status, metadata.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "base/time.h"

namespace troth::net {

// gRPC's codes are absl's codes, number for number.
using GrpcCode = StatusCode;

struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message;  // decoded UTF-8, never percent-encoded
  bool ok() const { return code == GrpcCode::kOk; }
};

// Keys in lower case, in order, repeats allowed. Values of keys that end in "-bin" are raw bytes
// here; the transport does base64. Pseudo headers and grpc-* / content-type / te keys are not in
// it.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// Pairs of views for sending without copies, keys in lower case; `never_index` keeps unique values
// out of HPACK's table.
struct MetadataView {
  std::string_view key;
  std::string_view value;
  bool never_index = false;
};

// First value of `key`, or nothing.
std::optional<std::string_view> Find(const Metadata& metadata, std::string_view key);

// "unavailable", "DEADLINE_EXCEEDED" ...: the name gRPC gives the code, upper case.
std::string_view GrpcCodeName(GrpcCode code);
// As grpc-go's error text: "rpc error: code = Unavailable desc = ...". Clients of dtm see this
// text.
std::string GrpcErrorText(const GrpcStatus& status);

struct GrpcLimits {
  uint32_t message_bytes_max = limits::kGrpcMessageBytesMax;  // one message, also after inflation
  uint32_t header_bytes_max = limits::kGrpcHeaderBytesMax;    // all headers of one call
  uint32_t concurrent_streams_max = limits::kGrpcCallsOfConnectionMax;
  uint32_t stream_window_bytes = 1 << 20;  // receive window
  uint32_t connection_window_bytes = 8 << 20;
  // Per connection: reading pauses when more waits for the socket. Per stream: what Write may run
  // ahead of the peer's window; OnWritable comes at a quarter of it, and at twice of it the call is
  // ended.
  uint32_t write_buffer_bytes_max = 4 << 20;
  uint32_t receive_buffer_bytes_max =
      64 << 20;  // incomplete messages of one connection; then ResourceExhausted
};

}  // namespace troth::net
