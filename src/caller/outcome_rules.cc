#include "caller/outcome_rules.h"

#include <boost/json.hpp>

#include "base/text.h"

namespace troth {
namespace {

constexpr std::string_view kFailure = "FAILURE";
constexpr std::string_view kOngoing = "ONGOING";
constexpr int kHttpOk = 200;
constexpr int kHttpConflict = 409;
constexpr int kHttpTooEarly = 425;
constexpr int64_t kJsonRpcFailure = -32901;
constexpr int64_t kJsonRpcOngoing = -32902;

CallResult Make(BranchOutcome outcome, std::string text) {
  return {.outcome = outcome,
          .text = std::move(text),
          .grpc_code = static_cast<int>(net::GrpcCode::kUnknown)};
}

// The code in {"error": {"code": n}}; 0 when there is no error; nothing when it is not a JSON-RPC
// answer.
std::optional<int64_t> JsonRpcErrorCode(std::string_view body) {
  boost::system::error_code failed;
  const boost::json::value reply = boost::json::parse({body.data(), body.size()}, failed);
  if (failed || !reply.is_object()) return std::nullopt;
  const boost::json::value* error = reply.get_object().if_contains("error");
  if (error == nullptr || error->is_null()) return 0;
  if (!error->is_object()) return 1;
  const boost::json::value* code = error->get_object().if_contains("code");
  if (code == nullptr || !code->is_int64()) return 1;
  return code->get_int64();
}

}  // namespace

std::string FailureText(std::string_view text) {
  for (std::string_view word : {" FAILURE", " ONGOING"}) {
    if (text.ends_with(word)) {
      text.remove_suffix(word.size());
      break;
    }
  }
  return Cat(text, " FAILURE");
}

CallResult UnknownOutcome(std::string_view error) {
  return Make(BranchOutcome::kUnknown, std::string(error));
}

CallResult UnknownOutcome(const Status& error) {
  CallResult result = UnknownOutcome(Message(error));
  result.unreachable = error.code() == StatusCode::kUnavailable;
  return result;
}

CallResult HttpOutcome(int status, std::string_view body) {
  if (status == kHttpTooEarly || body.find(kOngoing) != body.npos) {
    return Make(BranchOutcome::kOngoing, std::string(kOngoing));
  }
  if (status == kHttpConflict || body.find(kFailure) != body.npos) {
    return Make(BranchOutcome::kFailed, FailureText(body));
  }
  // 201 and 204 too: services rely on being asked again for anything but 200.
  if (status != kHttpOk) return Make(BranchOutcome::kUnknown, std::string(body));
  return Make(BranchOutcome::kSucceeded, {});
}

CallResult GrpcOutcome(const net::GrpcStatus& status) {
  CallResult result;
  result.grpc_code = static_cast<int>(status.code);
  switch (status.code) {
    case net::GrpcCode::kOk: result.outcome = BranchOutcome::kSucceeded; return result;
    case net::GrpcCode::kAborted:
      if (status.message == kOngoing) {  // services older than dtm 1.10
        result.outcome = BranchOutcome::kOngoing;
        result.text = kOngoing;
        return result;
      }
      result.outcome = BranchOutcome::kFailed;
      result.text = FailureText(status.message);
      return result;
    case net::GrpcCode::kFailedPrecondition:
      result.outcome = BranchOutcome::kOngoing;
      result.text = kOngoing;
      return result;
    default:
      result.outcome = BranchOutcome::kUnknown;
      result.text = net::GrpcErrorText(status);
      result.unreachable = status.code == net::GrpcCode::kUnavailable;
      return result;
  }
}

CallResult JsonRpcOutcome(int status, std::string_view body) {
  CallResult result = HttpOutcome(status, body);
  if (result.outcome != BranchOutcome::kSucceeded) return result;
  const std::optional<int64_t> code = JsonRpcErrorCode(body);
  if (code == 0) return result;
  if (code == kJsonRpcFailure) return Make(BranchOutcome::kFailed, FailureText(body));
  if (code == kJsonRpcOngoing) return Make(BranchOutcome::kOngoing, std::string(kOngoing));
  return Make(BranchOutcome::kUnknown, std::string(body));
}

}  // namespace troth
