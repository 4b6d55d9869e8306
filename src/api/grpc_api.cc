#include "api/grpc_api.h"

#include <memory>
#include <utility>

#include "api/answers.h"
#include "api/trans_input.h"
#include "base/text.h"
#include "dtmgimp.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "wire/json_reader.h"

namespace troth {
namespace {

using net::ServerCall;
using CallPtr = std::shared_ptr<ServerCall>;
using StringMap = std::map<std::string, std::string>;

StringMap ToMap(const google::protobuf::Map<std::string, std::string>& map) {
  return {map.begin(), map.end()};
}

TransOptions ToOptions(const dtmgimp::DtmTransOptions& from) {
  TransOptions options;
  options.wait_result = from.waitresult();
  options.timeout_to_fail = from.timeouttofail();
  options.retry_interval = from.retryinterval();
  options.request_timeout = from.requesttimeout();
  options.retry_limit = from.retrylimit();
  for (const auto& [key, value] : from.branchheaders()) {
    options.branch_headers.emplace_back(key, value);
  }
  return options;
}

StatusOr<TransInput> ToInput(dtmgimp::DtmRequest& from) {
  TransInput input;
  input.gid = std::move(*from.mutable_gid());
  input.trans_type = std::move(*from.mutable_transtype());
  input.protocol = WireName(Protocol::kGrpc);
  if (from.has_transoptions()) input.options = ToOptions(from.transoptions());
  input.custom_data = std::move(*from.mutable_customeddata());
  input.query_prepared = std::move(*from.mutable_queryprepared());
  input.rollback_reason = std::move(*from.mutable_rollbackreason());
  input.req_extra = ToMap(from.reqextra());
  TROTH_ASSIGN_OR_RETURN(std::vector<StringMap> steps, ParseStringMaps(from.steps()));
  for (StringMap& step : steps) {
    input.steps.push_back({std::move(step["action"]), std::move(step["compensate"])});
  }
  for (std::string& payload : *from.mutable_binpayloads()) {
    input.payloads.push_back(std::move(payload));
  }
  return input;
}

template <typename Proto>
StatusOr<Proto> Parse(const std::string& message) {
  Proto proto;
  if (proto.ParseFromString(message)) return proto;
  return InvalidArgument(Cat("the message does not parse as ",
                             proto.GetTypeName(),
                             ": its bytes are damaged or a string in it is not UTF-8"));
}

void FinishEmpty(ServerCall& call, const ClientAnswer& answer) {
  const net::GrpcStatus status = ToGrpc(answer);
  status.ok() ? call.FinishOk({}) : call.Finish(status);
}

void FinishProgresses(ServerCall& call, const ClientAnswer& answer) {
  if (answer.code != ReplyCode::kOk || answer.txn == nullptr) return call.Finish(ToGrpc(answer));
  const Transaction& txn = *answer.txn;
  dtmgimp::DtmProgressesReply reply;
  reply.mutable_transaction()->set_gid(txn.gid);
  reply.mutable_transaction()->set_status(std::string(WireName(txn.status)));
  reply.mutable_transaction()->set_rollbackreason(txn.rollback_reason);
  reply.mutable_transaction()->set_result(txn.result);
  for (const Branch& branch : txn.branches) {
    dtmgimp::DtmProgress* progress = reply.add_progresses();
    progress->set_status(std::string(WireName(branch.status)));
    progress->set_bindata(std::string(txn.payload(branch)));
    progress->set_branchid(branch.branch_id);
    progress->set_op(std::string(WireName(branch.op)));
  }
  call.FinishOk(reply.SerializeAsString());
}

StatusOr<Request> DecodeTrans(const ApiContext& context,
                              RequestKind kind,
                              const std::string& message) {
  TROTH_ASSIGN_OR_RETURN(dtmgimp::DtmRequest proto, Parse<dtmgimp::DtmRequest>(message));
  TROTH_ASSIGN_OR_RETURN(TransInput input, ToInput(proto));
  return MakeRequest(kind, std::move(input), context.limits, context.topics);
}

StatusOr<Request> DecodeBranch(const ApiContext& context, const std::string& message) {
  TROTH_ASSIGN_OR_RETURN(dtmgimp::DtmBranchRequest proto,
                         Parse<dtmgimp::DtmBranchRequest>(message));
  BranchInput input{.gid = std::move(*proto.mutable_gid()),
                    .trans_type = std::move(*proto.mutable_transtype()),
                    .branch_id = std::move(*proto.mutable_branchid()),
                    .data = ToMap(proto.data()),
                    .payload = std::move(*proto.mutable_busipayload())};
  return MakeBranchRequest(std::move(input), context.limits);
}

using FinishFn = void (*)(ServerCall&, const ClientAnswer&);

void HandOn(ApiContext& context, StatusOr<Request> request, CallPtr call, FinishFn finish) {
  if (!request.ok()) return call->Finish(GrpcError(request.status()));
  net::Loop& loop = call->loop();
  context.manager.Request(
      *std::move(request), loop, [call = std::move(call), finish](ClientAnswer answer) {
        finish(*call, answer);
      });
}

net::UnaryMethod TransMethod(ApiContext& context, RequestKind kind, FinishFn finish) {
  return [&context, kind, finish](CallPtr call, std::string message) {
    HandOn(context, DecodeTrans(context, kind, message), std::move(call), finish);
  };
}

// dtm answers UNKNOWN to a refused change of topics.
void FinishTopic(ServerCall& call, const Status& status) {
  if (status.ok()) return call.FinishOk({});
  const bool overloaded = status.code() == StatusCode::kResourceExhausted;
  call.Finish({overloaded ? net::GrpcCode::kResourceExhausted : net::GrpcCode::kUnknown,
               std::string(Message(status))});
}

using TopicCall = std::function<Status(
    dtmgimp::DtmTopicRequest& request, Topics& topics, Store& store, TimePoint now)>;

net::UnaryMethod TopicMethod(ApiContext& context, TopicCall change) {
  return [&context, change](CallPtr call, std::string message) {
    StatusOr<dtmgimp::DtmTopicRequest> request = Parse<dtmgimp::DtmTopicRequest>(message);
    if (!request.ok()) return call->Finish(GrpcError(request.status()));
    net::Loop& loop = call->loop();
    ChangeTopics(
        context,
        [change, request = *std::move(request)](
            Topics& topics, Store& store, TimePoint now) mutable {
          return change(request, topics, store, now);
        },
        loop,
        [call](const Status& status) { FinishTopic(*call, status); });
  };
}

// The method, counted under its name in lower case.
void AddMethod(ApiContext& context,
               net::GrpcServer& server,
               std::string_view name,
               net::UnaryMethod method) {
  ApiMetrics& metrics = context.metrics;
  const uint32_t tag = metrics.AddRoute("grpc", ToLower(name));
  server.AddUnary(Cat("/dtmgimp.Dtm/", name),
                  [&metrics, tag, method = std::move(method)](CallPtr call, std::string message) {
                    call->Watch(metrics, tag);
                    method(std::move(call), std::move(message));
                  });
}

void AddTopicMethods(ApiContext& context, net::GrpcServer& server) {
  AddMethod(context,
            server,
            "Subscribe",
            TopicMethod(context, [](auto& request, auto& topics, auto& store, TimePoint now) {
              return topics.Subscribe(store, request.topic(), request.url(), request.remark(), now);
            }));
  AddMethod(context,
            server,
            "Unsubscribe",
            TopicMethod(context, [](auto& request, auto& topics, auto& store, TimePoint now) {
              return topics.Unsubscribe(store, request.topic(), request.url(), now);
            }));
  AddMethod(context,
            server,
            "DeleteTopic",
            TopicMethod(context, [](auto& request, auto& topics, auto& store, TimePoint) {
              return topics.Delete(store, request.topic());
            }));
}

}  // namespace

std::string GrpcApiDescriptors() {
  google::protobuf::FileDescriptorSet files;
  google::protobuf::Empty::descriptor()->file()->CopyTo(files.add_file());
  dtmgimp::DtmRequest::descriptor()->file()->CopyTo(files.add_file());
  return files.SerializeAsString();
}

void RegisterGrpcApi(ApiContext& context, net::GrpcServer& server) {
  // Bad bytes are told to who sent them; protobuf would also write them to stderr, past the log.
  google::protobuf::SetLogHandler(nullptr);
  AddMethod(context, server, "NewGid", [](CallPtr call, const std::string&) {
    dtmgimp::DtmGidReply reply;
    reply.set_gid(NewGid());
    call->FinishOk(reply.SerializeAsString());
  });
  AddMethod(context, server, "Submit", TransMethod(context, RequestKind::kSubmit, FinishEmpty));
  AddMethod(context, server, "Prepare", TransMethod(context, RequestKind::kPrepare, FinishEmpty));
  AddMethod(context, server, "Abort", TransMethod(context, RequestKind::kAbort, FinishEmpty));
  AddMethod(context,
            server,
            "PrepareWorkflow",
            TransMethod(context, RequestKind::kPrepareWorkflow, FinishProgresses));
  AddMethod(context, server, "RegisterBranch", [&context](CallPtr call, std::string message) {
    HandOn(context, DecodeBranch(context, message), std::move(call), FinishEmpty);
  });
  AddTopicMethods(context, server);
}

}  // namespace troth
