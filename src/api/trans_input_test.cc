#include "api/trans_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace troth {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FixedTopics final : public TopicReader {
 public:
  std::vector<std::string> Subscribers(std::string_view topic) const override {
    if (topic == "two") return {"http://h/1", "http://h/2"};
    if (topic == "one") return {"http://h/1"};
    return {};
  }
};

TransInput Saga(size_t steps) {
  TransInput input;
  input.gid = "g1";
  input.trans_type = "saga";
  for (size_t i = 0; i < steps; ++i) {
    input.steps.push_back({Cat("http://h/a", i), Cat("http://h/c", i)});
    input.payloads.push_back(Cat("payload ", i));
  }
  return input;
}

StatusOr<Request> Submit(TransInput input) {
  return MakeRequest(RequestKind::kSubmit, std::move(input), Limits{}, FixedTopics{});
}

std::string Refusal(TransInput input) {
  return std::string(Message(Submit(std::move(input)).status()));
}

TEST(MakeRequest, GivesASagaItsRowsInPairsWithOnePayloadEach) {
  const StatusOr<Request> request = Submit(Saga(2));
  ASSERT_TRUE(request.ok()) << request.status();
  const Transaction& txn = request->draft;
  ASSERT_THAT(txn.branches, SizeIs(4));
  EXPECT_EQ(txn.branches[0].op, BranchOp::kCompensate);
  EXPECT_EQ(txn.branches[0].branch_id, "01");
  EXPECT_EQ(txn.branches[1].op, BranchOp::kAction);
  EXPECT_EQ(txn.branches[3].branch_id, "02");
  EXPECT_EQ(txn.payload(txn.branches[2]), "payload 1");
  EXPECT_EQ(txn.payload(txn.branches[3]), "payload 1");
  EXPECT_THAT(txn.payloads, SizeIs(2));
}

TEST(MakeRequest, NumbersBranchesAboveNinetyNine) {
  const StatusOr<Request> request = Submit(Saga(1000));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->draft.branches.back().branch_id, "1000");
}

TEST(MakeRequest, ExpandsTopicsOfAMessage) {
  TransInput input;
  input.gid = "m";
  input.trans_type = "msg";
  input.steps = {{"topic://one", ""}, {"topic://two", ""}};
  input.payloads = {"a", "b"};
  const StatusOr<Request> request = Submit(input);
  ASSERT_TRUE(request.ok());
  const auto& branches = request->draft.branches;
  ASSERT_THAT(branches, SizeIs(3));
  EXPECT_EQ(branches[0].branch_id, "01");
  EXPECT_EQ(branches[1].branch_id, "02-01");
  EXPECT_EQ(branches[2].branch_id, "02-02");
  EXPECT_EQ(request->draft.payload(branches[2]), "b");

  input.steps[0].action = "topic://nobody";
  EXPECT_EQ(Refusal(input), "topic not found");
}

TEST(MakeRequest, IgnoresExtraPayloadsAndRefusesMissingOnes) {
  TransInput input = Saga(1);
  input.payloads.push_back("extra");
  ASSERT_THAT(Submit(input)->draft.payloads, SizeIs(1));
  input.payloads.clear();
  EXPECT_THAT(Refusal(input), HasSubstr("1 steps but only 0 payloads"));
}

TEST(MakeRequest, RefusesBadGids) {
  TransInput input = Saga(1);
  input.gid = "";
  EXPECT_THAT(Refusal(input), HasSubstr("gid is empty"));
  input.gid = std::string(129, 'x');
  EXPECT_THAT(Refusal(input), HasSubstr("129 bytes; at most 128"));
  input.gid = "a\xff";
  EXPECT_THAT(Refusal(input), HasSubstr("not valid UTF-8"));
  input.gid = std::string("a\0b", 3);
  EXPECT_THAT(Refusal(input), HasSubstr("control character"));
  input.gid = "quotes ' \" spaces % ünïcode";
  EXPECT_TRUE(Submit(input).ok());
}

TEST(MakeRequest, RefusesUnknownTypesAndProtocols) {
  TransInput input = Saga(1);
  input.trans_type = "sagaa";
  EXPECT_THAT(Refusal(input), HasSubstr("unknown trans_type 'sagaa'"));
  input.trans_type = "";
  EXPECT_THAT(Refusal(input), HasSubstr("it must be msg, saga, tcc, xa or workflow"));
  input = Saga(1);
  input.protocol = "carrier pigeon";
  EXPECT_THAT(Refusal(input), HasSubstr("unknown protocol"));
}

TEST(MakeRequest, RefusesOptionsOutOfRange) {
  TransInput input = Saga(1);
  input.options.retry_interval = -1;
  EXPECT_THAT(Refusal(input), HasSubstr("retry_interval is -1"));
  input = Saga(1);
  input.options.timeout_to_fail = INT64_MAX;
  EXPECT_THAT(Refusal(input), HasSubstr("timeout_to_fail"));
  input = Saga(1);
  input.options.retry_limit = -2;
  EXPECT_THAT(Refusal(input), HasSubstr("negative"));
}

TEST(MakeRequest, RefusesHeadersThatCouldSmuggleARequest) {
  TransInput input = Saga(1);
  input.options.branch_headers = {{"x-a", "1\r\nevil: 2"}};
  EXPECT_THAT(Refusal(input), HasSubstr("line break"));
  input.options.branch_headers = {{"bad name", "1"}};
  EXPECT_THAT(Refusal(input), HasSubstr("not a header name"));
}

TEST(MakeRequest, RefusesMoreBranchesThanTheLimit) {
  EXPECT_THAT(Refusal(Saga(5001)), HasSubstr("at most 10000"));
}

TEST(MakeRequest, LetsAnAbortComeWithoutAType) {
  TransInput input;
  input.gid = "m";
  const auto request = MakeRequest(RequestKind::kAbort, input, Limits{}, FixedTopics{});
  ASSERT_TRUE(request.ok());
  EXPECT_FALSE(request->type_given);
}

TEST(MakeRequest, ReadsTheEndOfAWorkflow) {
  TransInput input;
  input.gid = "w";
  input.trans_type = "workflow";
  input.req_extra = {{"status", "failed"}, {"rollback_reason", "no money"}, {"result", "cmVz"}};
  const StatusOr<Request> request = Submit(input);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->workflow_status, "failed");
  EXPECT_EQ(request->rollback_reason, "no money");
  EXPECT_EQ(request->workflow_result, "cmVz");
}

BranchInput TccBranch() {
  return {.gid = "t",
          .trans_type = "tcc",
          .branch_id = "01",
          .data = {{"confirm", "http://h/c"}, {"cancel", "http://h/x"}},
          .payload = "body"};
}

TEST(MakeBranchRequest, GivesTccItsTwoRowsWithOnePayload) {
  const StatusOr<Request> request = MakeBranchRequest(TccBranch(), Limits{});
  ASSERT_TRUE(request.ok());
  const Transaction& txn = request->draft;
  ASSERT_THAT(txn.branches, SizeIs(2));
  EXPECT_EQ(txn.branches[0].op, BranchOp::kCancel);
  EXPECT_EQ(txn.branches[0].url, "http://h/x");
  EXPECT_EQ(txn.branches[1].op, BranchOp::kConfirm);
  EXPECT_EQ(txn.payload(txn.branches[1]), "body");
}

TEST(MakeBranchRequest, GivesXaTheSameUrlTwice) {
  BranchInput input = TccBranch();
  input.trans_type = "xa";
  input.data = {{"url", "http://h/p2"}};
  const StatusOr<Request> request = MakeBranchRequest(input, Limits{});
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->draft.branches[0].op, BranchOp::kRollback);
  EXPECT_EQ(request->draft.branches[0].url, "http://h/p2");
  EXPECT_EQ(request->draft.branches[1].op, BranchOp::kCommit);
  EXPECT_EQ(request->draft.branches[1].url, "http://h/p2");
}

TEST(MakeBranchRequest, RefusesTypesThatRegisterNothing) {
  BranchInput input = TccBranch();
  input.trans_type = "msg";
  EXPECT_EQ(Message(MakeBranchRequest(input, Limits{}).status()), "unknow trans type: msg");
  input.trans_type = "workflow";
  input.data = {{"op", "action"}, {"status", "maybe"}};
  EXPECT_THAT(Message(MakeBranchRequest(input, Limits{}).status()), HasSubstr("unknown status"));
}

}  // namespace
}  // namespace troth
