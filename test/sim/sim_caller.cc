#include "sim_caller.h"

#include <utility>

#include "base/text.h"
#include "caller/outcome_rules.h"

namespace troth::sim {
namespace {

constexpr std::string_view kServicePrefix = "http://service";

CallResult HttpResult(ServiceAnswer answer) {
  switch (answer) {
    case ServiceAnswer::kDone: return HttpOutcome(200, R"({"dtm_result":"SUCCESS"})");
    case ServiceAnswer::kRefused: return HttpOutcome(409, "no money");
    case ServiceAnswer::kOngoing: return HttpOutcome(425, "");
    case ServiceAnswer::kError: return HttpOutcome(500, "broken");
    case ServiceAnswer::kUnreachable: return UnknownOutcome(Unavailable("connection refused"));
  }
  return UnknownOutcome("no such answer");
}

CallResult GrpcResult(ServiceAnswer answer) {
  using net::GrpcCode;
  switch (answer) {
    case ServiceAnswer::kDone: return GrpcOutcome({GrpcCode::kOk, ""});
    case ServiceAnswer::kRefused: return GrpcOutcome({GrpcCode::kAborted, "no money"});
    case ServiceAnswer::kOngoing: return GrpcOutcome({GrpcCode::kFailedPrecondition, "ONGOING"});
    case ServiceAnswer::kError: return GrpcOutcome({GrpcCode::kInternal, "broken"});
    case ServiceAnswer::kUnreachable:
      return GrpcOutcome({GrpcCode::kUnavailable, "connection refused"});
  }
  return UnknownOutcome("no such answer");
}

CallResult JsonRpcResult(ServiceAnswer answer) {
  switch (answer) {
    case ServiceAnswer::kDone: return JsonRpcOutcome(200, R"({"result":"SUCCESS"})");
    case ServiceAnswer::kRefused: return JsonRpcOutcome(200, R"({"error":{"code":-32901}})");
    case ServiceAnswer::kOngoing: return JsonRpcOutcome(200, R"({"error":{"code":-32902}})");
    case ServiceAnswer::kError: return JsonRpcOutcome(200, R"({"error":{"code":-32603}})");
    case ServiceAnswer::kUnreachable: return UnknownOutcome(Unavailable("connection refused"));
  }
  return UnknownOutcome("no such answer");
}

CallResult Result(Protocol protocol, ServiceAnswer answer) {
  switch (protocol) {
    case Protocol::kHttp: return HttpResult(answer);
    case Protocol::kGrpc: return GrpcResult(answer);
    case Protocol::kJsonRpc: return JsonRpcResult(answer);
  }
  return UnknownOutcome("no such protocol");
}

}  // namespace

void SimCaller::Start(const Call& call, CallSink& sink) {
  ServiceCall service_call{.gid = call.txn->gid,
                           .branch_id = std::string(call.branch_id),
                           .op = std::string(WireName(call.op)),
                           .service = static_cast<size_t>(call.url[kServicePrefix.size()] - '0')};
  auditor_.OnCall(server_, clock_.Now(), service_call.gid, service_call.branch_id, service_call.op);

  auto open = std::make_shared<bool>(true);
  // The server, and with it this caller, may be gone when the answer comes.
  auto finish =
      [&context = context_, deliver = deliver_, open, to = &sink, id = call.id, number = call.call](
          CallResult result) {
        if (!std::exchange(*open, false)) return context.marks.Reached(Mark::kLateAnswer);
        deliver(
            [to, id, number, result = std::move(result)] { to->OnCallDone(id, number, result); });
      };
  context_.scheduler.After(call.timeout, [open, finish] {
    if (*open) finish(UnknownOutcome("timeout"));
  });
  services_.Call(kFirstServer + server_.server,
                 std::move(service_call),
                 [finish, protocol = call.txn->protocol](ServiceAnswer answer) {
                   finish(Result(protocol, answer));
                 });
}

}  // namespace troth::sim
