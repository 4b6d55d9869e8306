#include "api/json_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TransInput Read(std::string_view body) {
  StatusOr<JsonObject> object = JsonObject::Parse(body);
  EXPECT_TRUE(object.ok());
  StatusOr<TransInput> input = ReadTransInput(*object);
  EXPECT_TRUE(input.ok()) << input.status();
  return *std::move(input);
}

TEST(ReadTransInput, ReadsWhatTheGoClientSends) {
  const TransInput input = Read(
      R"({"gid":"s2","trans_type":"saga","custom_data":"{\"concurrent\":true}","request_timeout":7,)"
      R"("concurrent":true,"retry_limit":3,"steps":[{"action":"http://h/a","compensate":"http://h/ac"}],)"
      R"("payloads":["{\"amount\":1}"],"protocol":"","branch_headers":{"x-b":"2","x-a":"1"}})");
  EXPECT_EQ(input.gid, "s2");
  EXPECT_EQ(input.trans_type, "saga");
  EXPECT_EQ(input.custom_data, R"({"concurrent":true})");
  EXPECT_EQ(input.options.request_timeout, 7);
  EXPECT_EQ(input.options.retry_limit, 3);
  EXPECT_TRUE(input.options.concurrent);
  EXPECT_THAT(input.options.branch_headers, ElementsAre(Pair("x-a", "1"), Pair("x-b", "2")));
  ASSERT_EQ(input.steps.size(), 1u);
  EXPECT_EQ(input.steps[0].compensate, "http://h/ac");
  EXPECT_THAT(input.payloads, ElementsAre(R"({"amount":1})"));
}

TEST(ReadTransInput, ReadsWhatThePythonAndPhpClientsSend) {
  const TransInput input = Read(
      R"({"gid":"p","trans_type":"tcc","custom_data":null,"query_prepared":null,"protocol":null,)"
      R"("passthrough_headers":[],"branch_headers":[],"request_timeout":8,"subType":"x"})");
  EXPECT_EQ(input.protocol, "");
  EXPECT_EQ(input.options.request_timeout, 8);
}

TEST(ReadTransInput, PutsTheDataOfOldStepsAfterThePayloads) {
  const TransInput input =
      Read(R"({"steps":[{"action":"a","data":"one"},{"action":"b"}],"payloads":["zero"]})");
  EXPECT_THAT(input.payloads, ElementsAre("zero", "one"));
}

TEST(ReadBranchInput, KeepsTheUrlsAndThePayload) {
  StatusOr<JsonObject> object = JsonObject::Parse(
      R"({"gid":"t1","trans_type":"tcc","branch_id":"01","data":"{}","confirm":"c","cancel":"x"})");
  const StatusOr<BranchInput> input = ReadBranchInput(*object);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->branch_id, "01");
  EXPECT_EQ(input->payload, "{}");
  EXPECT_EQ(input->data.at("confirm"), "c");
  EXPECT_EQ(input->data.at("cancel"), "x");
}

TEST(CleanGid, RemovesLineBreaksAndSemicolons) { EXPECT_EQ(CleanGid("a;\r\nb"), "ab"); }

}  // namespace
}  // namespace troth
