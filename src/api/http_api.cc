#include "api/http_api.h"

#include <memory>
#include <utility>

#include "api/answers.h"
#include "api/http_admin_api.h"
#include "api/json_input.h"
#include "base/text.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;

void RespondJson(net::HttpCall& call, std::string json) {
  net::HttpResponse response;
  response.body = std::move(json);
  call.Respond(std::move(response));
}

StatusOr<Request> DecodeTrans(const ApiContext& context,
                              RequestKind kind,
                              const std::string& body) {
  TROTH_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Parse(body));
  TROTH_ASSIGN_OR_RETURN(TransInput input, ReadTransInput(object));
  input.gid = CleanGid(input.gid);
  return MakeRequest(kind, std::move(input), context.limits, context.topics);
}

void RespondProgresses(const ApiContext& context, net::HttpCall& call, const ClientAnswer& answer) {
  if (answer.code != ReplyCode::kOk || answer.txn == nullptr) return call.Respond(ToHttp(answer));
  RespondJson(call, ProgressesJson(*answer.txn, context.utc_offset));
}

void HandOn(ApiContext& context, StatusOr<Request> request, CallPtr call) {
  if (!request.ok()) return call->Respond(HttpError(request.status()));
  const bool progresses = request->kind == RequestKind::kPrepareWorkflow;
  net::Loop& loop = call->loop();
  context.manager.Request(
      *std::move(request),
      loop,
      [&context, call = std::move(call), progresses](const ClientAnswer& answer) {
        progresses ? RespondProgresses(context, *call, answer) : call->Respond(ToHttp(answer));
      });
}

HttpHandler TransHandler(ApiContext& context, RequestKind kind) {
  return [&context, kind](CallPtr call, const std::string&) {
    StatusOr<Request> request = DecodeTrans(context, kind, call->request().body);
    HandOn(context, std::move(request), std::move(call));
  };
}

// A body that is no flat map of strings is the one case dtm answers with 400.
void RegisterBranch(ApiContext& context, CallPtr call) {
  const auto decode = [&call]() -> StatusOr<BranchInput> {
    const std::string& body = call->request().body;
    if (body.empty()) return InvalidArgument("EOF");
    TROTH_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Parse(body));
    return ReadBranchInput(object);
  };
  StatusOr<BranchInput> input = decode();
  if (!input.ok()) {
    net::HttpResponse response = HttpError(input.status());
    response.status = 400;
    return call->Respond(std::move(response));
  }
  input->gid = CleanGid(input->gid);
  HandOn(context, MakeBranchRequest(*std::move(input), context.limits), std::move(call));
}

void AddTransRoutes(ApiContext& context, HttpRouter& router) {
  const auto add = [&](std::string_view name, RequestKind kind) {
    router.Add("POST", Cat("/api/dtmsvr/", name), TransHandler(context, kind));
  };
  add("prepare", RequestKind::kPrepare);
  add("submit", RequestKind::kSubmit);
  add("abort", RequestKind::kAbort);
  add("forceStop", RequestKind::kForceStop);
  add("resetNextCronTime", RequestKind::kResetNextCronTime);
  add("prepareWorkflow", RequestKind::kPrepareWorkflow);
  // The last two are what SDKs before 1.8 call.
  for (const char* name : {"registerBranch", "registerXaBranch", "registerTccBranch"}) {
    router.Add("POST", Cat("/api/dtmsvr/", name), [&context](CallPtr call, const std::string&) {
      RegisterBranch(context, std::move(call));
    });
  }
}

}  // namespace

void RegisterHttpApi(ApiContext& context, HttpRouter& router) {
  router.Add("*", "/api/ping", [](CallPtr call, const std::string&) {
    RespondJson(*call, R"({"msg":"pong"})");
  });
  router.Add("GET", "/api/dtmsvr/version", [&context](CallPtr call, const std::string&) {
    JsonWriter json;
    json.BeginObject().Field("version", context.version).EndObject();
    RespondJson(*call, json.Take());
  });
  router.Add("GET", "/api/dtmsvr/newGid", [](CallPtr call, const std::string&) {
    JsonWriter json;
    json.BeginObject().Field("dtm_result", "SUCCESS").Field("gid", NewGid()).EndObject();
    RespondJson(*call, json.Take());
  });
  AddTransRoutes(context, router);
  RegisterHttpAdminApi(context, router);
}

}  // namespace troth
