#include "api/trans_input.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "wire/custom_data.h"

namespace troth {
namespace {

constexpr std::string_view kTopicScheme = "topic://";

Status CheckText(std::string_view name, std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max) {
    return InvalidArgument(
        Cat(name, " has ", text.size(), " bytes; at most ", bytes_max, " are accepted"));
  }
  if (!IsValidUtf8(text)) return InvalidArgument(Cat(name, " is not valid UTF-8"));
  return OkStatus();
}

Status CheckGid(std::string_view gid, const Limits& limits) {
  if (gid.empty()) return InvalidArgument("gid is empty; ask newGid for one or choose your own");
  TROTH_RETURN_IF_ERROR(CheckText("gid", gid, limits.gid_bytes_max));
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(gid.begin(), gid.end(), control)) {
    return InvalidArgument("gid holds a control character, which no header can carry");
  }
  return OkStatus();
}

Status CheckSeconds(std::string_view name, int64_t seconds, const Limits& limits) {
  if (seconds < 0 || seconds > limits.option_seconds_max) {
    return InvalidArgument(Cat(name,
                               " is ",
                               seconds,
                               "; it must be between 0 and ",
                               limits.option_seconds_max,
                               " seconds"));
  }
  return OkStatus();
}

// Names and values that HTTP and gRPC can carry.
Status CheckHeader(std::string_view name, std::string_view value) {
  const auto bad_name = [](char c) { return c <= ' ' || c >= 0x7f || c == ':'; };
  const auto bad_value = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (name.empty() || std::any_of(name.begin(), name.end(), bad_name)) {
    return InvalidArgument(Cat("branch_headers: '", name, "' is not a header name"));
  }
  if (std::any_of(value.begin(), value.end(), bad_value)) {
    return InvalidArgument(Cat("branch_headers: the value of ", name, " holds a line break"));
  }
  return OkStatus();
}

Status CheckOptions(const TransOptions& options, const Limits& limits) {
  TROTH_RETURN_IF_ERROR(CheckSeconds("timeout_to_fail", options.timeout_to_fail, limits));
  TROTH_RETURN_IF_ERROR(CheckSeconds("request_timeout", options.request_timeout, limits));
  TROTH_RETURN_IF_ERROR(CheckSeconds("retry_interval", options.retry_interval, limits));
  if (options.retry_limit < 0 || options.retry_count < 0) {
    return InvalidArgument("retry_limit and retry_count must not be negative");
  }
  if (options.branch_headers.size() > limits.branch_headers_max) {
    return InvalidArgument(Cat("branch_headers has ",
                               options.branch_headers.size(),
                               " entries; at most ",
                               limits.branch_headers_max,
                               " are accepted"));
  }
  size_t bytes = 0;
  for (const auto& [name, value] : options.branch_headers) {
    TROTH_RETURN_IF_ERROR(CheckHeader(name, value));
    bytes += name.size() + value.size();
  }
  if (bytes > limits.branch_header_bytes_max) {
    return InvalidArgument(Cat("branch_headers has ",
                               bytes,
                               " bytes; at most ",
                               limits.branch_header_bytes_max,
                               " are accepted"));
  }
  return OkStatus();
}

std::string TwoDigits(size_t number) { return number < 10 ? Cat("0", number) : Cat(number); }

Branch MakeBranch(std::string branch_id, BranchOp op, std::string url, uint32_t payload) {
  Branch branch;
  branch.branch_id = std::move(branch_id);
  branch.op = op;
  branch.url = std::move(url);
  branch.payload = payload;
  return branch;
}

// One action for a step, or one for each subscriber of its topic.
Status AddMsgStep(size_t index, StepInput step, const TopicReader& topics, Transaction& txn) {
  const std::string id = TwoDigits(index + 1);
  const auto payload = static_cast<uint32_t>(index);
  if (!step.action.starts_with(kTopicScheme)) {
    txn.branches.push_back(MakeBranch(id, BranchOp::kAction, std::move(step.action), payload));
    return OkStatus();
  }
  std::vector<std::string> urls =
      topics.Subscribers(std::string_view(step.action).substr(kTopicScheme.size()));
  if (urls.empty()) return InvalidArgument("topic not found");
  for (size_t i = 0; i < urls.size(); ++i) {
    std::string branch_id = urls.size() == 1 ? id : Cat(id, "-", TwoDigits(i + 1));
    txn.branches.push_back(
        MakeBranch(std::move(branch_id), BranchOp::kAction, std::move(urls[i]), payload));
  }
  return OkStatus();
}

Status AddSteps(TransInput& input, const TopicReader& topics, Transaction& txn) {
  if (txn.type != TransType::kMsg && txn.type != TransType::kSaga) return OkStatus();
  if (input.payloads.size() < input.steps.size()) {
    return InvalidArgument(Cat("there are ",
                               input.steps.size(),
                               " steps but only ",
                               input.payloads.size(),
                               " payloads; send one payload for each step"));
  }
  input.payloads.resize(input.steps.size());  // extra ones are ignored
  txn.payloads = std::move(input.payloads);
  txn.branches.reserve(input.steps.size() * (txn.type == TransType::kSaga ? 2 : 1));
  for (size_t i = 0; i < input.steps.size(); ++i) {
    if (txn.type == TransType::kMsg) {
      TROTH_RETURN_IF_ERROR(AddMsgStep(i, std::move(input.steps[i]), topics, txn));
      continue;
    }
    const std::string id = TwoDigits(i + 1);
    const auto payload = static_cast<uint32_t>(i);
    StepInput& step = input.steps[i];
    txn.branches.push_back(
        MakeBranch(id, BranchOp::kCompensate, std::move(step.compensate), payload));
    txn.branches.push_back(MakeBranch(id, BranchOp::kAction, std::move(step.action), payload));
  }
  return OkStatus();
}

Status CheckBranches(const Transaction& txn, const Limits& limits) {
  if (txn.branches.size() > limits.branches_max) {
    return InvalidArgument(Cat("the transaction has ",
                               txn.branches.size(),
                               " branch operations; at most ",
                               limits.branches_max,
                               " are accepted"));
  }
  for (const Branch& branch : txn.branches) {
    // A text that says which branch is made only when it is needed.
    if (CheckText("url", branch.url, limits.url_bytes_max).ok()) continue;
    return CheckText(Cat("url of branch ", branch.branch_id), branch.url, limits.url_bytes_max);
  }
  size_t bytes = 0;
  for (const std::string& payload : txn.payloads) bytes += payload.size();
  if (bytes > limits.payload_bytes_max) {
    return InvalidArgument(Cat("the payloads have ",
                               bytes,
                               " bytes; at most ",
                               limits.payload_bytes_max,
                               " are accepted"));
  }
  return OkStatus();
}

StatusOr<TransType> CheckTransType(std::string_view name) {
  const std::optional<TransType> type = ParseTransType(name);
  if (type) return *type;
  return InvalidArgument(
      Cat("unknown trans_type '", name, "'; it must be msg, saga, tcc, xa or workflow"));
}

// Fills what prepare, submit and prepareWorkflow say about the transaction itself.
Status FillDraft(RequestKind kind,
                 TransInput& input,
                 const Limits& limits,
                 const TopicReader& topics,
                 Transaction& txn) {
  const std::optional<Protocol> protocol = ParseProtocol(input.protocol);
  if (!protocol) {
    return InvalidArgument(
        Cat("unknown protocol '", input.protocol, "'; it must be http, grpc or json-rpc"));
  }
  txn.protocol = *protocol;
  TROTH_RETURN_IF_ERROR(CheckOptions(input.options, limits));
  TROTH_RETURN_IF_ERROR(CheckText("query_prepared", input.query_prepared, limits.url_bytes_max));
  TROTH_RETURN_IF_ERROR(CheckText("custom_data", input.custom_data, limits.custom_data_bytes_max));
  txn.options = std::move(input.options);
  std::sort(txn.options.branch_headers.begin(), txn.options.branch_headers.end());
  txn.query_prepared = std::move(input.query_prepared);
  txn.custom_data = std::move(input.custom_data);
  TROTH_RETURN_IF_ERROR(AddSteps(input, topics, txn));
  TROTH_RETURN_IF_ERROR(CheckBranches(txn, limits));
  const bool workflow_submit = kind == RequestKind::kSubmit && txn.type == TransType::kWorkflow;
  return workflow_submit ? OkStatus() : ApplyCustomData(txn);
}

Status FillWorkflowEnd(TransInput& input, const Limits& limits, Request& request) {
  request.workflow_status = TakeText(input.req_extra, "status");
  request.rollback_reason = TakeText(input.req_extra, "rollback_reason");
  request.workflow_result = TakeText(input.req_extra, "result");
  return CheckText("req_extra.result", request.workflow_result, limits.result_bytes_max);
}

bool NeedsDraft(RequestKind kind) {
  return kind == RequestKind::kPrepare || kind == RequestKind::kSubmit ||
         kind == RequestKind::kPrepareWorkflow;
}

}  // namespace

std::string TakeText(std::map<std::string, std::string>& fields, const std::string& key) {
  const auto found = fields.find(key);
  return found == fields.end() ? std::string() : std::move(found->second);
}

StatusOr<Request> MakeRequest(RequestKind kind,
                              TransInput input,
                              const Limits& limits,
                              const TopicReader& topics) {
  TROTH_RETURN_IF_ERROR(CheckGid(input.gid, limits));
  if (!IsValidUtf8(input.rollback_reason)) {
    return InvalidArgument("rollback_reason is not valid UTF-8");
  }
  Request request;
  request.kind = kind;
  request.type_given = !input.trans_type.empty();
  request.draft.gid = std::move(input.gid);
  request.rollback_reason = std::move(input.rollback_reason);
  if (request.type_given || NeedsDraft(kind)) {
    TROTH_ASSIGN_OR_RETURN(request.draft.type, CheckTransType(input.trans_type));
  }
  if (!NeedsDraft(kind)) return request;
  TROTH_RETURN_IF_ERROR(FillDraft(kind, input, limits, topics, request.draft));
  if (kind == RequestKind::kSubmit && request.draft.type == TransType::kWorkflow) {
    TROTH_RETURN_IF_ERROR(FillWorkflowEnd(input, limits, request));
  }
  return request;
}

namespace {

// UNKNOWN over gRPC, not INTERNAL: protocol/server.md 3.
Status UnknownType(std::string_view type) {
  return MakeStatus(StatusCode::kUnknown, Cat("unknow trans type: ", type));
}

Status AddRegisteredRows(BranchInput& input, Transaction& txn) {
  const auto url = [&input](const char* key) { return std::move(input.data[key]); };
  const std::string& id = input.branch_id;
  switch (txn.type) {
    case TransType::kTcc:
      txn.branches.push_back(MakeBranch(id, BranchOp::kCancel, url("cancel"), 0));
      txn.branches.push_back(MakeBranch(id, BranchOp::kConfirm, url("confirm"), 0));
      return OkStatus();
    case TransType::kXa: {
      const std::string phase2 = url("url");
      txn.branches.push_back(MakeBranch(id, BranchOp::kRollback, phase2, 0));
      txn.branches.push_back(MakeBranch(id, BranchOp::kCommit, phase2, 0));
      return OkStatus();
    }
    case TransType::kWorkflow: {
      const std::optional<BranchOp> op = ParseBranchOp(input.data["op"]);
      const std::optional<BranchStatus> status = ParseBranchStatus(input.data["status"]);
      if (!op)
        return InvalidArgument(Cat("unknown op '", input.data["op"], "' of a workflow step"));
      if (!status) {
        return InvalidArgument(Cat("unknown status '",
                                   input.data["status"],
                                   "' of a workflow step; it must be succeed or failed"));
      }
      txn.branches.push_back(MakeBranch(id, *op, "", 0));
      txn.branches.back().status = *status;
      return OkStatus();
    }
    case TransType::kMsg:
    case TransType::kSaga: break;
  }
  return UnknownType(WireName(txn.type));
}

}  // namespace

StatusOr<Request> MakeBranchRequest(BranchInput input, const Limits& limits) {
  const std::optional<TransType> type = ParseTransType(input.trans_type);
  if (!type) return UnknownType(input.trans_type);
  Request request;
  request.kind = RequestKind::kRegisterBranch;
  request.draft.gid = std::move(input.gid);
  request.draft.type = *type;
  TROTH_RETURN_IF_ERROR(CheckText("branch_id", input.branch_id, limits.branch_id_bytes_max));
  // The engine refuses an empty or unknown gid with the text clients know.
  TROTH_RETURN_IF_ERROR(CheckText("gid", request.draft.gid, limits.gid_bytes_max));
  TROTH_RETURN_IF_ERROR(AddRegisteredRows(input, request.draft));
  request.draft.payloads.push_back(std::move(input.payload));
  TROTH_RETURN_IF_ERROR(CheckBranches(request.draft, limits));
  return request;
}

}  // namespace troth
