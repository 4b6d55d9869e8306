#include "api/json_rpc_api.h"

#include <memory>
#include <utility>
#include <vector>

#include "api/json_input.h"
#include "api/json_rpc_message.h"
#include "base/text.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;

void RespondJson(net::HttpCall& call, int status, std::string json) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(json);
  call.Respond(std::move(response));
}

// The replies of one body, sent when the last is in. A notification has none.
class Replies {
 public:
  Replies(CallPtr call, bool batch, size_t count)
      : call_(std::move(call)), batch_(batch), left_(count), replies_(count) {}

  net::Loop& loop() { return call_->loop(); }

  void Put(size_t index, std::string reply) {
    replies_[index] = std::move(reply);
    if (--left_ == 0) Send();
  }

 private:
  void Send() {
    std::string body;
    for (const std::string& reply : replies_) {
      if (!reply.empty()) CatTo(body, body.empty() ? "" : ",", reply);
    }
    if (body.empty()) return RespondJson(*call_, 204, {});
    RespondJson(*call_, 200, batch_ ? Cat("[", body, "]") : body);
  }

  CallPtr call_;
  const bool batch_;
  size_t left_;
  std::vector<std::string> replies_;
};

JsonRpcCode CodeOf(ReplyCode code) {
  switch (code) {
    case ReplyCode::kFailure: return JsonRpcCode::kFailure;
    case ReplyCode::kOverloaded:
    case ReplyCode::kUnavailable: return JsonRpcCode::kTryAgain;
    default: return JsonRpcCode::kInternalError;
  }
}

std::string AnswerJson(std::string_view id, const ClientAnswer& answer) {
  if (answer.code == ReplyCode::kOk) return JsonRpcResult(id, "null");
  return JsonRpcError(id, CodeOf(answer.code), answer.message);
}

std::optional<RequestKind> KindOf(std::string_view method) {
  if (method == "prepare") return RequestKind::kPrepare;
  if (method == "submit") return RequestKind::kSubmit;
  if (method == "abort") return RequestKind::kAbort;
  if (method == "registerBranch") return RequestKind::kRegisterBranch;
  return std::nullopt;
}

StatusOr<Request> Decode(const ApiContext& context, RequestKind kind, const std::string& params) {
  TROTH_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Parse(params));
  if (kind == RequestKind::kRegisterBranch) {
    TROTH_ASSIGN_OR_RETURN(BranchInput input, ReadBranchInput(object));
    return MakeBranchRequest(std::move(input), context.limits);
  }
  TROTH_ASSIGN_OR_RETURN(TransInput input, ReadTransInput(object));
  return MakeRequest(kind, std::move(input), context.limits, context.topics);
}

// Without an id the reply is made and dropped.
std::string IfWanted(const JsonRpcRequest& request, std::string reply) {
  return request.id ? std::move(reply) : std::string();
}

void ServeOne(ApiContext& context,
              const JsonRpcRequest& request,
              size_t index,
              const std::shared_ptr<Replies>& replies) {
  const std::string id = request.id.value_or("null");
  if (request.invalid) {
    return replies->Put(index, JsonRpcError(id, JsonRpcCode::kInvalidRequest, *request.invalid));
  }
  if (request.method == "newGid") {
    return replies->Put(
        index, IfWanted(request, JsonRpcResult(id, Cat(R"({"gid":")", NewGid(), R"("})"))));
  }
  const std::optional<RequestKind> kind = KindOf(request.method);
  if (!kind) {
    return replies->Put(
        index,
        IfWanted(request,
                 JsonRpcError(
                     id, JsonRpcCode::kMethodNotFound, Cat("Method not found: ", request.method))));
  }
  StatusOr<Request> decoded = Decode(context, *kind, request.params);
  if (!decoded.ok()) {
    return replies->Put(
        index,
        IfWanted(request,
                 JsonRpcError(id, JsonRpcCode::kInternalError, Message(decoded.status()))));
  }
  context.manager.Request(*std::move(decoded),
                          replies->loop(),
                          [request, id, index, replies](const ClientAnswer& answer) {
                            replies->Put(index, IfWanted(request, AnswerJson(id, answer)));
                          });
}

void Serve(ApiContext& context, CallPtr call) {
  const StatusOr<JsonRpcBody> body = ParseJsonRpc(call->request().body);
  if (!body.ok()) {
    return RespondJson(
        *call, 400, JsonRpcError(R"("")", JsonRpcCode::kParseError, Message(body.status())));
  }
  const auto replies =
      std::make_shared<Replies>(std::move(call), body->batch, body->requests.size());
  for (size_t i = 0; i < body->requests.size(); ++i) {
    ServeOne(context, body->requests[i], i, replies);
  }
}

}  // namespace

void RegisterJsonRpcApi(ApiContext& context, HttpRouter& router) {
  router.Add("POST", "/api/json-rpc", [&context](CallPtr call, const std::string&) {
    Serve(context, std::move(call));
  });
}

}  // namespace troth
