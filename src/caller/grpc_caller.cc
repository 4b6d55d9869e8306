#include "caller/grpc_caller.h"

#include <vector>

#include "base/text.h"
#include "caller/outcome_rules.h"
#include "discovery/address.h"
#include "wf.pb.h"

namespace troth {
namespace {

// Parsed URLs kept; past it all are forgotten and learnt anew, which costs a microsecond each.
constexpr size_t kAddressesMax = 4096;

// dtm-* keys as every barrier reads them (protocol/server.md 4.4); dtm-dtm is sent empty.
void AppendCallMetadata(const Call& call, std::vector<net::MetadataView>& metadata) {
  const Transaction& txn = *call.txn;
  const bool to_workflow = call.op == BranchOp::kWorkflow;
  metadata.push_back({"dtm-gid", txn.gid, /*never_index=*/true});
  metadata.push_back({"dtm-trans_type", WireName(txn.type)});
  metadata.push_back({"dtm-branch_id", call.branch_id});
  metadata.push_back(
      {"dtm-op", to_workflow ? std::string_view(txn.workflow_name) : WireName(call.op)});
  metadata.push_back({"dtm-dtm", ""});
}

// A workflow's callback takes its input in a message; branches take their payload as it is.
std::string WorkflowMessage(std::string_view input) {
  workflow::WorkflowData message;
  message.set_data(input.data(), input.size());
  return message.SerializeAsString();
}

}  // namespace

StatusOr<const GrpcAddress*> GrpcCaller::Address(std::string_view url) {
  const absl::string_view key(url.data(), url.size());
  if (const auto found = addresses_.find(key); found != addresses_.end()) {
    return found->second.get();
  }
  TROTH_ASSIGN_OR_RETURN(GrpcAddress address, ParseGrpcUrl(url));
  if (addresses_.size() >= kAddressesMax) addresses_.clear();
  auto& kept = addresses_[std::string(url)];
  kept = std::make_unique<GrpcAddress>(std::move(address));
  return kept.get();
}

void GrpcCaller::Start(const Call& call, CallSink& sink) {
  CallSink* const to = &sink;
  const StatusOr<const GrpcAddress*> address = Address(call.url);
  if (!address.ok()) {
    loop_.Post(
        [to, id = call.id, number = call.call, error = std::string(Message(address.status()))] {
          to->OnCallDone(id, number, UnknownOutcome(error));
        });
    return;
  }
  static thread_local std::vector<net::MetadataView> metadata;
  static thread_local std::vector<std::string> lower_keys;
  metadata.clear();
  lower_keys.clear();
  AppendCallMetadata(call, metadata);
  const StringPairs& ext = call.txn->ext_headers;
  const StringPairs& own = call.txn->options.branch_headers;
  lower_keys.reserve(ext.size() + own.size());  // views below point into it
  for (const StringPairs* headers : {&ext, &own}) {
    for (const auto& [key, value] : *headers) {
      metadata.push_back({lower_keys.emplace_back(ToLower(key)), value, /*never_index=*/true});
    }
  }
  const bool to_workflow = call.op == BranchOp::kWorkflow;
  const std::string wrapped = to_workflow ? WorkflowMessage(call.payload) : std::string();
  const net::UnaryCall unary{.path = (*address)->method,
                             .metadata = metadata,
                             .message = to_workflow ? std::string_view(wrapped) : call.payload,
                             .timeout = call.timeout};
  targets_.Unary(
      (*address)->target, unary, [to, id = call.id, number = call.call](net::UnaryResult result) {
        to->OnCallDone(id, number, GrpcOutcome(result.status));
      });
}

}  // namespace troth
