#include "api/grpc_api.h"

#include <memory>
#include <utility>

#include "api/answers.h"
#include "api/grpc_input.h"
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
  TROTH_ASSIGN_OR_RETURN(TransInput input, ReadGrpcTrans(message));
  return MakeRequest(kind, std::move(input), context.limits, context.topics);
}

StatusOr<Request> DecodeBranch(const ApiContext& context, const std::string& message) {
  TROTH_ASSIGN_OR_RETURN(BranchInput input, ReadGrpcBranch(message));
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

using TopicCall =
    std::function<Status(const GrpcTopicInput& input, Topics& topics, Store& store, TimePoint now)>;

net::UnaryMethod TopicMethod(ApiContext& context, TopicCall change) {
  return [&context, change](CallPtr call, std::string message) {
    StatusOr<GrpcTopicInput> input = ReadGrpcTopic(message);
    if (!input.ok()) return call->Finish(GrpcError(input.status()));
    net::Loop& loop = call->loop();
    ChangeTopics(
        context,
        [change, input = *std::move(input)](Topics& topics, Store& store, TimePoint now) {
          return change(input, topics, store, now);
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
            TopicMethod(context, [](const auto& input, auto& topics, auto& store, TimePoint now) {
              return topics.Subscribe(store, input.topic, input.url, input.remark, now);
            }));
  AddMethod(context,
            server,
            "Unsubscribe",
            TopicMethod(context, [](const auto& input, auto& topics, auto& store, TimePoint now) {
              return topics.Unsubscribe(store, input.topic, input.url, now);
            }));
  AddMethod(context,
            server,
            "DeleteTopic",
            TopicMethod(context, [](const auto& input, auto& topics, auto& store, TimePoint) {
              return topics.Delete(store, input.topic);
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
