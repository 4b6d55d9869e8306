#include "api/answers.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

TEST(ToHttp, UsesDtmsCodesAndBodies) {
  EXPECT_EQ(ToHttp({}).body, R"({"dtm_result":"SUCCESS"})");
  const net::HttpResponse failure = ToHttp({.code = ReplyCode::kFailure, .message = "no FAILURE"});
  EXPECT_EQ(failure.status, 409);
  EXPECT_EQ(failure.body, R"({"dtm_result":"FAILURE","message":"no FAILURE"})");
  const net::HttpResponse ongoing = ToHttp({.code = ReplyCode::kOngoing, .message = "ONGOING"});
  EXPECT_EQ(ongoing.status, 425);
  EXPECT_EQ(ongoing.body, R"({"dtm_result":"ONGOING","message":"ONGOING"})");
  EXPECT_EQ(ToHttp({.code = ReplyCode::kError, .message = "x"}).body, R"({"message":"x"})");
  EXPECT_EQ(ToHttp({.code = ReplyCode::kInternal, .message = "x"}).status, 500);
}

TEST(ToHttp, TellsAnOverloadedClientWhenToComeBack) {
  const net::HttpResponse response = ToHttp({.code = ReplyCode::kOverloaded, .message = "later"});
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(net::FindHeader(response.headers, "retry-after"), "1");
}

TEST(ToGrpc, UsesDtmsCodes) {
  EXPECT_TRUE(ToGrpc({}).ok());
  EXPECT_EQ(ToGrpc({.code = ReplyCode::kFailure}).code, net::GrpcCode::kAborted);
  EXPECT_EQ(ToGrpc({.code = ReplyCode::kOngoing}).code, net::GrpcCode::kFailedPrecondition);
  EXPECT_EQ(ToGrpc({.code = ReplyCode::kError, .grpc_code = 14}).code, net::GrpcCode::kUnavailable);
  EXPECT_EQ(ToGrpc({.code = ReplyCode::kInternal}).code, net::GrpcCode::kInternal);
  EXPECT_EQ(ToGrpc({.code = ReplyCode::kOverloaded}).code, net::GrpcCode::kResourceExhausted);
}

TEST(GrpcError, IsInternalAsWhereDtmPanics) {
  EXPECT_EQ(GrpcError(InvalidArgument("bad")).code, net::GrpcCode::kInternal);
  EXPECT_EQ(GrpcError(ResourceExhausted("busy")).code, net::GrpcCode::kResourceExhausted);
}

}  // namespace
}  // namespace troth
