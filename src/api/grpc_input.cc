#include "api/grpc_input.h"

#include <algorithm>
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

// A field without a value has no text of its own; asking to change it would make one.
template <typename Proto>
std::string Take(Proto& from,
                 const std::string& (Proto::*text)() const,
                 std::string* (Proto::*mutable_text)()) {
  return (from.*text)().empty() ? std::string() : std::move(*(from.*mutable_text)());
}

// Steps that get their room at once: more than nearly all have, and little for a client that has
// none.
constexpr size_t kStepsAtOnce = 16;

StatusOr<std::vector<StepInput>> ReadSteps(std::string_view text, size_t expected) {
  std::vector<StepInput> steps;
  steps.reserve(std::min(expected, kStepsAtOnce));
  const auto take = [&steps](size_t number, std::string_view key, std::string_view url) {
    if (number >= steps.size()) steps.resize(number + 1);
    if (key == "action") steps[number].action = url;
    if (key == "compensate") steps[number].compensate = url;
  };
  TROTH_ASSIGN_OR_RETURN(const size_t count, ReadStringMaps(text, take));
  steps.resize(count);
  return steps;
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
  using Proto = dtmgimp::DtmRequest;
  input.custom_data = Take(from, &Proto::customeddata, &Proto::mutable_customeddata);
  input.query_prepared = Take(from, &Proto::queryprepared, &Proto::mutable_queryprepared);
  input.rollback_reason = Take(from, &Proto::rollbackreason, &Proto::mutable_rollbackreason);
  input.req_extra = ToMap(from.reqextra());
  const auto expected = static_cast<size_t>(from.binpayloads_size());
  TROTH_ASSIGN_OR_RETURN(input.steps, ReadSteps(from.steps(), expected));
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
