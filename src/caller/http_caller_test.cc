#include "caller/http_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::HasSubstr;

struct Prepared {
  Transaction txn;
  Call call;
};

std::unique_ptr<Prepared> MakeCall(std::string_view url, std::string_view payload = "{}") {
  auto made = std::make_unique<Prepared>();
  made->txn.gid = "hg-0003";
  made->txn.type = TransType::kMsg;
  made->call = {.id = 1,
                .call = 2,
                .txn = &made->txn,
                .branch_id = "01",
                .op = BranchOp::kAction,
                .url = url,
                .payload = payload,
                .timeout = Seconds(1)};
  return made;
}

TEST(BranchUrl, KeepsTheUrlsOwnQueryFirstAndDropsTheFragment) {
  EXPECT_EQ(BranchUrl(MakeCall("http://h/p%20q?gid=mine&z=1#f")->call),
            "http://h/p%20q?gid=mine&z=1&branch_id=01&gid=hg-0003&op=action&trans_type=msg");
  EXPECT_EQ(BranchUrl(MakeCall("http://h/a")->call),
            "http://h/a?branch_id=01&gid=hg-0003&op=action&trans_type=msg");
  EXPECT_EQ(BranchUrl(MakeCall("http://h/a?")->call),
            "http://h/a?branch_id=01&gid=hg-0003&op=action&trans_type=msg");
}

TEST(BranchUrl, EscapesGidsAndNamesTheWorkflow) {
  auto made = MakeCall("http://h/wf");
  made->txn.gid = "a b&c";
  made->txn.type = TransType::kWorkflow;
  made->txn.workflow_name = "my wf";
  made->call.op = BranchOp::kWorkflow;
  made->call.branch_id = "00";
  EXPECT_EQ(BranchUrl(made->call),
            "http://h/wf?branch_id=00&gid=a+b%26c&op=my+wf&trans_type=workflow");
}

TEST(JsonRpcBody, PutsTheTransactionsKeysOverThePayloads) {
  auto made = MakeCall("http://h/rpc?method=Pay&x=1", R"({"amount":1,"gid":"forged"})");
  const StatusOr<std::string> body = JsonRpcBody(made->call, "id1");
  ASSERT_TRUE(body.ok());
  EXPECT_THAT(*body, HasSubstr(R"("method":"Pay")"));
  EXPECT_THAT(*body, HasSubstr(R"("gid":"hg-0003")"));
  EXPECT_THAT(*body, HasSubstr(R"("amount":1)"));
  EXPECT_THAT(*body, ::testing::Not(HasSubstr("forged")));
}

TEST(JsonRpcBody, SendsEmptyParamsWithoutAPayloadAndRefusesOthers) {
  EXPECT_TRUE(JsonRpcBody(MakeCall("http://h/?method=m", "")->call, "i").ok());
  EXPECT_FALSE(JsonRpcBody(MakeCall("http://h/?method=m", "[1]")->call, "i").ok());
  EXPECT_FALSE(JsonRpcBody(MakeCall("http://h/?method=m", "oops")->call, "i").ok());
}

}  // namespace
}  // namespace troth
