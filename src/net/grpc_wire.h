#pragma once
// How gRPC writes its things into HTTP/2 headers: timeouts, statuses, metadata. Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "net/grpc_status.h"
#include "net/http2/error.h"

namespace troth::net {

// "250m", "3S": at most 8 digits and a unit. Nothing when it is not that.
std::optional<Duration> ParseGrpcTimeout(std::string_view text);
// The shortest form that is not longer than `timeout`; at least 1 microsecond.
std::string FormatGrpcTimeout(Duration timeout);

// grpc-message: UTF-8 with everything but printable ASCII as %XX.
std::string EncodeGrpcMessage(std::string_view message);
// Broken escapes stay as they are.
std::string DecodeGrpcMessage(std::string_view text);

// "0".."16", for ever valid.
std::string_view GrpcCodeText(GrpcCode code);
// Anything that is no known code is Unknown.
GrpcCode ParseGrpcCode(std::string_view text);

bool IsGrpcContentType(std::string_view content_type);

// Adds a received header to `metadata`; "-bin" values are decoded, several in one header become
// several. Error: bad base64.
Status AddReceived(std::string_view key, std::string_view value, Metadata& metadata);
// The form a value is sent in: base64 without padding for "-bin" keys.
bool IsBinaryKey(std::string_view key);
std::string EncodeBinaryValue(std::string_view bytes);

// What an answer without grpc-status means, by its HTTP status.
GrpcCode CodeOfHttpStatus(int http_status);
// What a reset stream means.
GrpcCode CodeOfHttp2Error(Http2Error error);

// Five bytes before each message: 0 (not compressed) and its size.
std::string MessagePrefix(size_t message_size);

}  // namespace troth::net
