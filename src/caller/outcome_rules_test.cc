#include "caller/outcome_rules.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

TEST(HttpOutcome, FollowsStatusAndWordsInDtmsOrder) {
  EXPECT_EQ(HttpOutcome(200, "{}").outcome, BranchOutcome::kSucceeded);
  EXPECT_EQ(HttpOutcome(425, "").outcome, BranchOutcome::kOngoing);
  EXPECT_EQ(HttpOutcome(409, "xONGOINGx").outcome, BranchOutcome::kOngoing);
  EXPECT_EQ(HttpOutcome(200, R"({"dtm_result":"FAILURE"})").outcome, BranchOutcome::kFailed);
  EXPECT_EQ(HttpOutcome(409, "nomoney").text, "nomoney FAILURE");
  for (int status : {201, 204, 299, 302, 404, 500, 503}) {
    EXPECT_EQ(HttpOutcome(status, "oops").outcome, BranchOutcome::kUnknown) << status;
  }
  EXPECT_EQ(HttpOutcome(500, "oops").text, "oops");
}

TEST(FailureText, CutsOneMarkAndAddsOne) {
  EXPECT_EQ(FailureText("nomoney"), "nomoney FAILURE");
  EXPECT_EQ(FailureText("FAILURE"), "FAILURE FAILURE");
  EXPECT_EQ(FailureText("x FAILURE"), "x FAILURE");
  EXPECT_EQ(FailureText("x ONGOING"), "x FAILURE");
}

TEST(GrpcOutcome, TakesOnlyExplicitRefusalsAsFailed) {
  using net::GrpcCode;
  EXPECT_EQ(GrpcOutcome({}).outcome, BranchOutcome::kSucceeded);
  EXPECT_EQ(GrpcOutcome({GrpcCode::kAborted, "ONGOING"}).outcome, BranchOutcome::kOngoing);
  EXPECT_EQ(GrpcOutcome({GrpcCode::kAborted, "m"}).outcome, BranchOutcome::kFailed);
  EXPECT_EQ(GrpcOutcome({GrpcCode::kAborted, "m"}).text, "m FAILURE");
  EXPECT_EQ(GrpcOutcome({GrpcCode::kFailedPrecondition, "m"}).outcome, BranchOutcome::kOngoing);
  const CallResult silence = GrpcOutcome({GrpcCode::kInternal, "xFAILUREx"});
  EXPECT_EQ(silence.outcome, BranchOutcome::kUnknown);
  EXPECT_EQ(silence.text, "rpc error: code = Internal desc = xFAILUREx");
  EXPECT_EQ(silence.grpc_code, 13);
}

TEST(JsonRpcOutcome, KnowsTheCodesDtmMisses) {
  EXPECT_EQ(JsonRpcOutcome(200, R"({"result":1,"error":null})").outcome, BranchOutcome::kSucceeded);
  EXPECT_EQ(JsonRpcOutcome(200, R"({"error":{"code":-32901}})").outcome, BranchOutcome::kFailed);
  EXPECT_EQ(JsonRpcOutcome(200, R"({"error":{"code":-32902}})").outcome, BranchOutcome::kOngoing);
  EXPECT_EQ(JsonRpcOutcome(200, R"({"error":{"code":-1}})").outcome, BranchOutcome::kUnknown);
  EXPECT_EQ(JsonRpcOutcome(200, "not json").outcome, BranchOutcome::kUnknown);
  EXPECT_EQ(JsonRpcOutcome(200, R"({"error":{"message":"x FAILURE"}})").outcome,
            BranchOutcome::kFailed);
}

}  // namespace
}  // namespace troth
