#include "api/answers.h"

#include <utility>

#include "wire/json_writer.h"

namespace troth {
namespace {

net::HttpResponse JsonResponse(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

std::string ResultJson(std::string_view result, std::string_view message) {
  JsonWriter json;
  json.BeginObject().Field("dtm_result", result).Field("message", message);
  return json.EndObject().Take();
}

net::HttpResponse TryLater(int http_status, std::string_view message) {
  net::HttpResponse response = JsonResponse(http_status, MessageJson(message));
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

// Where dtm panics a bad request ends in INTERNAL; what it returns as an error, in UNKNOWN.
net::GrpcCode GrpcCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kResourceExhausted: return net::GrpcCode::kResourceExhausted;
    case StatusCode::kUnknown: return net::GrpcCode::kUnknown;
    default: return net::GrpcCode::kInternal;
  }
}

}  // namespace

std::string MessageJson(std::string_view text) {
  JsonWriter json;
  return json.BeginObject().Field("message", text).EndObject().Take();
}

net::HttpResponse ToHttp(const ClientAnswer& answer) {
  switch (answer.code) {
    case ReplyCode::kOk: return JsonResponse(200, std::string(kSuccessJson));
    case ReplyCode::kFailure: return JsonResponse(409, ResultJson("FAILURE", answer.message));
    case ReplyCode::kOngoing: return JsonResponse(425, ResultJson("ONGOING", answer.message));
    case ReplyCode::kError:
    case ReplyCode::kInternal: return JsonResponse(500, MessageJson(answer.message));
    case ReplyCode::kOverloaded: return TryLater(429, answer.message);
    case ReplyCode::kUnavailable: return TryLater(503, answer.message);
  }
  return JsonResponse(500, MessageJson("unknown answer"));
}

net::GrpcStatus ToGrpc(const ClientAnswer& answer) {
  switch (answer.code) {
    case ReplyCode::kOk: return {};
    case ReplyCode::kFailure: return {net::GrpcCode::kAborted, answer.message};
    case ReplyCode::kOngoing: return {net::GrpcCode::kFailedPrecondition, answer.message};
    case ReplyCode::kError: return {static_cast<net::GrpcCode>(answer.grpc_code), answer.message};
    case ReplyCode::kInternal: return {net::GrpcCode::kInternal, answer.message};
    case ReplyCode::kOverloaded: return {net::GrpcCode::kResourceExhausted, answer.message};
    case ReplyCode::kUnavailable: return {net::GrpcCode::kUnavailable, answer.message};
  }
  return {net::GrpcCode::kInternal, "unknown answer"};
}

net::HttpResponse HttpError(const Status& status) {
  if (status.code() == StatusCode::kResourceExhausted) return TryLater(429, Message(status));
  return JsonResponse(500, MessageJson(Message(status)));
}

net::GrpcStatus GrpcError(const Status& status) {
  return {GrpcCodeOf(status.code()), std::string(Message(status))};
}

}  // namespace troth
