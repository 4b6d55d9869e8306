#include "api/json_rpc_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

JsonRpcRequest One(std::string_view body) {
  const StatusOr<JsonRpcBody> parsed = ParseJsonRpc(body);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE(parsed->batch);
  return parsed->requests.at(0);
}

TEST(ParseJsonRpc, EchoesIdsOfBothTypes) {
  EXPECT_EQ(One(R"({"jsonrpc":"2.0","id":"a","method":"newGid"})").id, "\"a\"");
  EXPECT_EQ(One(R"({"jsonrpc":"2.0","id":7,"method":"newGid"})").id, "7");
}

TEST(ParseJsonRpc, TakesARequestWithoutIdAsANotification) {
  const JsonRpcRequest request = One(R"({"jsonrpc":"2.0","method":"submit","params":{"gid":"g"}})");
  EXPECT_FALSE(request.id.has_value());
  EXPECT_FALSE(request.invalid.has_value());
  EXPECT_EQ(request.params, R"({"gid":"g"})");
}

TEST(ParseJsonRpc, SaysWhatIsNoRequest) {
  EXPECT_THAT(*One(R"({"id":"1","method":"m"})").invalid, StartsWith("Bad json request: "));
  EXPECT_TRUE(One(R"({"jsonrpc":"2.0","id":"","method":"m"})").invalid.has_value());
  EXPECT_TRUE(One(R"({"jsonrpc":"2.0","id":{},"method":"m"})").invalid.has_value());
  EXPECT_TRUE(One(R"({"jsonrpc":"2.0","id":"1"})").invalid.has_value());
}

TEST(ParseJsonRpc, RefusesWhatIsNoJson) {
  EXPECT_THAT(Message(ParseJsonRpc("").status()), StartsWith("Parse json error: "));
  EXPECT_THAT(Message(ParseJsonRpc("7").status()), HasSubstr("no object"));
  EXPECT_THAT(Message(ParseJsonRpc("[]").status()), HasSubstr("1 to 1000"));
}

TEST(ParseJsonRpc, KeepsTheOrderOfABatch) {
  const auto body = ParseJsonRpc(R"([{"jsonrpc":"2.0","id":1,"method":"a"},5])");
  ASSERT_TRUE(body.ok());
  EXPECT_TRUE(body->batch);
  ASSERT_THAT(body->requests, SizeIs(2));
  EXPECT_EQ(body->requests[0].method, "a");
  EXPECT_TRUE(body->requests[1].invalid.has_value());
}

TEST(JsonRpcReplies, AlwaysHaveAllFourKeys) {
  EXPECT_EQ(JsonRpcResult("\"1\"", R"({"gid":"g"})"),
            R"({"error":null,"id":"1","jsonrpc":"2.0","result":{"gid":"g"}})");
  EXPECT_EQ(
      JsonRpcError("1", JsonRpcCode::kFailure, "no FAILURE"),
      R"({"error":{"code":-32901,"message":"no FAILURE"},"id":1,"jsonrpc":"2.0","result":null})");
}

}  // namespace
}  // namespace troth
