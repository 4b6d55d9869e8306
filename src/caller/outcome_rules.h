#pragma once
// A protocol's answer -> BranchOutcome. Source: protocol/server.md 5.2, 5.3, 5.4. Silence and
// surprises are kUnknown: only an explicit refusal is kFailed.

#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/outcome.h"
#include "net/grpc_status.h"

namespace troth {

// The answer of an HTTP service. Status and words are both looked at, the words in a body of any
// status, because services older than dtm 1.10 answer 200 with {"dtm_result":"FAILURE"}.
CallResult HttpOutcome(int status, std::string_view body);

CallResult GrpcOutcome(const net::GrpcStatus& status);

// The answer of a JSON-RPC service: the rules of HTTP first, then error.code -32901 (failed) and
// -32902 (ongoing).
CallResult JsonRpcOutcome(int status, std::string_view body);

// No answer: a bad URL, or what `error` says.
CallResult UnknownOutcome(std::string_view error);
// No answer: timeout, reset, refused connection (kUnavailable: nobody is there).
CallResult UnknownOutcome(const Status& error);

// "no money" -> "no money FAILURE"; a trailing " FAILURE" or " ONGOING" is cut first.
std::string FailureText(std::string_view text);

}  // namespace troth
