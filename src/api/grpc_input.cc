#include "api/grpc_input.h"

#include <iterator>
#include <utility>

#include "base/text.h"
#include "dtmgimp.pb.h"
#include "wire/json_reader.h"

namespace troth {
namespace {

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

template <typename Proto>
StatusOr<Proto> Parse(const std::string& message) {
  Proto proto;
  if (proto.ParseFromString(message)) return proto;
  return InvalidArgument(Cat("the message does not parse as ",
                             proto.GetTypeName(),
                             ": its bytes are damaged or a string in it is not UTF-8"));
}

}  // namespace

StatusOr<TransInput> ReadGrpcTrans(const std::string& message) {
  TROTH_ASSIGN_OR_RETURN(dtmgimp::DtmRequest from, Parse<dtmgimp::DtmRequest>(message));
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
  input.steps.reserve(steps.size());
  for (StringMap& step : steps) {
    input.steps.push_back({TakeText(step, "action"), TakeText(step, "compensate")});
  }
  input.payloads.assign(std::make_move_iterator(from.mutable_binpayloads()->begin()),
                        std::make_move_iterator(from.mutable_binpayloads()->end()));
  return input;
}

StatusOr<BranchInput> ReadGrpcBranch(const std::string& message) {
  TROTH_ASSIGN_OR_RETURN(dtmgimp::DtmBranchRequest from, Parse<dtmgimp::DtmBranchRequest>(message));
  return BranchInput{.gid = std::move(*from.mutable_gid()),
                     .trans_type = std::move(*from.mutable_transtype()),
                     .branch_id = std::move(*from.mutable_branchid()),
                     .data = ToMap(from.data()),
                     .payload = std::move(*from.mutable_busipayload())};
}

StatusOr<GrpcTopicInput> ReadGrpcTopic(const std::string& message) {
  TROTH_ASSIGN_OR_RETURN(dtmgimp::DtmTopicRequest from, Parse<dtmgimp::DtmTopicRequest>(message));
  return GrpcTopicInput{.topic = std::move(*from.mutable_topic()),
                        .url = std::move(*from.mutable_url()),
                        .remark = std::move(*from.mutable_remark())};
}

}  // namespace troth
