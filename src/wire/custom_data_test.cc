#include "wire/custom_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Transaction SagaWith(std::string custom_data, size_t steps = 3) {
  Transaction txn;
  txn.type = TransType::kSaga;
  txn.custom_data = std::move(custom_data);
  txn.branches.resize(steps * 2);
  return txn;
}

std::string Refusal(Transaction txn) { return std::string(Message(ApplyCustomData(txn))); }

TEST(ApplyCustomData, ReadsTheOrdersOfASaga) {
  Transaction txn = SagaWith(R"({"concurrent":true,"orders":{"2":[0,1]}})");
  ASSERT_TRUE(ApplyCustomData(txn).ok());
  EXPECT_TRUE(txn.saga_concurrent);
  ASSERT_EQ(txn.saga_orders.size(), 1u);
  EXPECT_EQ(txn.saga_orders[0].step, 2u);
  EXPECT_THAT(txn.saga_orders[0].after, ElementsAre(0u, 1u));
}

TEST(ApplyCustomData, RefusesOrdersThatCanNeverRun) {
  EXPECT_THAT(Refusal(SagaWith(R"({"concurrent":true,"orders":{"3":[0]}})")), HasSubstr("step 3"));
  EXPECT_THAT(Refusal(SagaWith(R"({"orders":{"0":[-1]}})")), HasSubstr("step -1"));
  EXPECT_THAT(Refusal(SagaWith(R"({"orders":{"x":[0]}})")), HasSubstr("'x'"));
  EXPECT_THAT(Refusal(SagaWith(R"({"orders":{"0":[1],"1":[0]}})")), HasSubstr("circle"));
  EXPECT_THAT(Refusal(SagaWith(R"({"orders":{"1":[1]}})")), HasSubstr("circle"));
}

TEST(ApplyCustomData, RefusesTextThatIsNoJson) {
  EXPECT_THAT(Refusal(SagaWith("not json")), HasSubstr("custom_data: invalid JSON"));
}

TEST(ApplyCustomData, ReadsTheDelayOfAMessage) {
  Transaction txn;
  txn.type = TransType::kMsg;
  txn.custom_data = R"({"Delay":5})";
  ASSERT_TRUE(ApplyCustomData(txn).ok());
  EXPECT_EQ(txn.msg_delay, 5);
  txn.custom_data = R"({"delay":-1})";
  EXPECT_THAT(Refusal(txn), HasSubstr("delay is -1"));
}

TEST(ApplyCustomData, ReadsNameAndInputOfAWorkflow) {
  Transaction txn;
  txn.type = TransType::kWorkflow;
  txn.custom_data = R"({"data":"aGVsbG8=","name":"wf"})";
  ASSERT_TRUE(ApplyCustomData(txn).ok());
  EXPECT_EQ(txn.workflow_name, "wf");
  ASSERT_EQ(txn.workflow_input, 0u);
  EXPECT_EQ(txn.payloads[0], "hello");
  txn.custom_data = R"({"data":"%%%","name":"wf"})";
  EXPECT_THAT(Refusal(txn), HasSubstr("not base64"));
}

TEST(ApplyCustomData, LeavesTheTextOfTccAndXaAlone) {
  Transaction txn;
  txn.type = TransType::kTcc;
  txn.custom_data = "anything";
  EXPECT_TRUE(ApplyCustomData(txn).ok());
}

}  // namespace
}  // namespace troth
