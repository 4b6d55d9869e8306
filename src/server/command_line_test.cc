#include "server/command_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace troth {
namespace {

StatusOr<CommandLine> Parse(std::vector<const char*> arguments) {
  return ParseCommandLine(arguments);
}

TEST(ParseCommandLine, TakesOneDashOrTwoAndBothFormsOfAValue) {
  EXPECT_EQ(Parse({"-c", "a.yml"})->config_file, "a.yml");
  EXPECT_EQ(Parse({"--c=b.yml"})->config_file, "b.yml");
  EXPECT_TRUE(Parse({"-d"})->debug);
  EXPECT_TRUE(Parse({"--r", "-v"})->version);
  EXPECT_FALSE(Parse({"-d=false"})->debug);
}

TEST(ParseCommandLine, ShowsTheUsageForAPositionalArgument) {
  EXPECT_TRUE(Parse({"serve"})->help);
  EXPECT_TRUE(Parse({"-h"})->help);
}

TEST(ParseCommandLine, TakesWhatToDiscover) {
  EXPECT_EQ(Parse({"-c", "a.yml", "discover", "trans"})->discover, "trans");
  EXPECT_EQ(Parse({"discover", "discover", "-d"})->discover, "discover");
  EXPECT_EQ(Message(Parse({"discover"}).status()), "discover needs a name or a URL");
  EXPECT_TRUE(Parse({"discover", "a", "b"})->help);
}

TEST(ParseCommandLine, TakesWhatToDoToAStore) {
  const auto copy = Parse({"store", "copy", "a.yml", "b", "--merge"});
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(copy->store->words, (std::vector<std::string>{"copy", "a.yml", "b"}));
  EXPECT_TRUE(copy->store->merge);
  EXPECT_TRUE(Parse({"-c", "a.yml", "store", "reset", "--yes"})->store->yes);
  EXPECT_FALSE(Parse({"store", "check"})->store->yes);
  for (const auto& wrong : std::vector<std::vector<const char*>>{
           {"store"}, {"store", "burn"}, {"store", "copy", "a"}, {"store", "check", "a"}}) {
    EXPECT_EQ(Parse(wrong).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(Parse({"--yes"}).ok());
}

TEST(ParseCommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Message(Parse({"--zz"}).status()), "flag provided but not defined: -zz");
  EXPECT_EQ(Message(Parse({"-c"}).status()), "flag needs an argument: -c");
  EXPECT_FALSE(Parse({"-d=maybe"}).ok());
}

}  // namespace
}  // namespace troth
