#include "wire/options_json.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

TransOptions EveryOption() {
  TransOptions options;
  options.wait_result = true;
  options.timeout_to_fail = 100;
  options.request_timeout = 7;
  options.retry_interval = 600;
  options.branch_headers = {{"x-a", "b"}};
  options.retry_limit = 3;
  return options;
}

TEST(OptionsJson, WritesWhatIsSetInDtmsOrder) {
  EXPECT_EQ(OptionsJson(EveryOption()),
            R"({"wait_result":true,"timeout_to_fail":100,"request_timeout":7,"retry_interval":600,)"
            R"("branch_headers":{"x-a":"b"},"concurrent":false,"retry_limit":3})");
}

TEST(OptionsJson, ReadsWhatItWrote) {
  const auto options = ParseOptionsJson(OptionsJson(EveryOption()));
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(*options, EveryOption());
}

TEST(OptionsJson, ReadsWhatOlderVersionsWrote) {
  EXPECT_EQ(*ParseOptionsJson(""), TransOptions());
  const auto options = ParseOptionsJson(
      R"({"wait_result":true,"passthrough_headers":["x"],"branch_headers":{"a":"<\u003c"}})");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->wait_result);
  EXPECT_EQ(options->branch_headers, (StringPairs{{"a", "<<"}}));
}

TEST(OptionsJson, RefusesWhatIsNoOptions) {
  EXPECT_FALSE(ParseOptionsJson("[").ok());
  EXPECT_FALSE(ParseOptionsJson(R"({"retry_limit":"3"})").ok());
}

}  // namespace
}  // namespace troth
