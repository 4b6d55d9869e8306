#include "wire/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

JsonObject Parsed(std::string_view text) {
  StatusOr<JsonObject> object = JsonObject::Parse(text);
  EXPECT_TRUE(object.ok()) << object.status();
  return *std::move(object);
}

std::string ParseError(std::string_view text) {
  return std::string(Message(JsonObject::Parse(text).status()));
}

TEST(JsonObject, FindsKeysWithoutRegardToCaseAndTheLastOneWins) {
  std::string gid;
  ASSERT_TRUE(Parsed(R"({"gid":"a","GID":"b"})").Read("gid", gid).ok());
  EXPECT_EQ(gid, "b");
}

TEST(JsonObject, LeavesValuesAloneForAbsentKeysAndNull) {
  std::string gid = "kept";
  int64_t number = 7;
  bool flag = true;
  const JsonObject object = Parsed(R"({"gid":null,"flag":null})");
  ASSERT_TRUE(object.Read("gid", gid).ok());
  ASSERT_TRUE(object.Read("number", number).ok());
  ASSERT_TRUE(object.Read("flag", flag).ok());
  EXPECT_EQ(gid, "kept");
  EXPECT_EQ(number, 7);
  EXPECT_TRUE(flag);
}

TEST(JsonObject, NamesTheKeyOfAWrongType) {
  std::string gid;
  EXPECT_EQ(Message(Parsed(R"({"gid":5})").Read("gid", gid)),
            "json: cannot unmarshal number into field gid of type string");
  int64_t number = 0;
  EXPECT_FALSE(Parsed(R"({"n":1.5})").Read("n", number).ok());
  EXPECT_FALSE(Parsed(R"({"n":"1"})").Read("n", number).ok());
  EXPECT_FALSE(Parsed(R"({"n":18446744073709551615})").Read("n", number).ok());
}

TEST(JsonObject, RefusesWhatIsNoObject) {
  EXPECT_EQ(ParseError(""), "unexpected end of JSON input");
  EXPECT_EQ(ParseError("  \n"), "unexpected end of JSON input");
  EXPECT_THAT(ParseError("[1]"), HasSubstr("cannot unmarshal array"));
  EXPECT_THAT(ParseError("{\"a\":"), HasSubstr("invalid JSON"));
  EXPECT_THAT(ParseError("{} trailing"), HasSubstr("invalid JSON"));
  EXPECT_THAT(ParseError("{\"a\":\"\xff\"}"), HasSubstr("invalid JSON"));
}

TEST(JsonObject, RefusesDeepNestingInsteadOfOverflowingTheStack) {
  EXPECT_THAT(ParseError(std::string(100000, '[')), HasSubstr("invalid JSON"));
}

TEST(JsonObject, AcceptsAnEmptyArrayForAMapBecausePhpWritesIt) {
  std::map<std::string, std::string> map;
  EXPECT_TRUE(Parsed(R"({"h":[]})").ReadStringMap("h", map).ok());
  EXPECT_THAT(map, IsEmpty());
  EXPECT_FALSE(Parsed(R"({"h":["x"]})").ReadStringMap("h", map).ok());
}

TEST(JsonObject, ReadsListsAndMaps) {
  const JsonObject object =
      Parsed(R"({"p":["a",null],"s":[{"action":"u"},null],"o":{"1":[0,2]},"h":{"k":null}})");
  std::vector<std::string> payloads;
  std::vector<std::map<std::string, std::string>> steps;
  std::vector<std::pair<std::string, std::vector<int64_t>>> orders;
  std::map<std::string, std::string> headers;
  ASSERT_TRUE(object.ReadStrings("p", payloads).ok());
  ASSERT_TRUE(object.ReadStringMaps("s", steps).ok());
  ASSERT_TRUE(object.ReadIntLists("o", orders).ok());
  ASSERT_TRUE(object.ReadStringMap("h", headers).ok());
  EXPECT_THAT(payloads, ElementsAre("a", ""));
  EXPECT_THAT(steps, ElementsAre(ElementsAre(Pair("action", "u")), IsEmpty()));
  EXPECT_THAT(orders, ElementsAre(Pair("1", ElementsAre(0, 2))));
  EXPECT_THAT(headers, ElementsAre(Pair("k", "")));
}

TEST(JsonObject, TakesAFlatMapOnlyOfStrings) {
  EXPECT_THAT(*Parsed(R"({"a":"1","b":null})").AllStrings(),
              ElementsAre(Pair("a", "1"), Pair("b", "")));
  EXPECT_THAT(Message(Parsed(R"({"a":1})").AllStrings().status()),
              HasSubstr("json: cannot unmarshal number into value of type string"));
}

TEST(ParseStringMaps, TreatsNothingAndNullAsEmpty) {
  EXPECT_THAT(*ParseStringMaps(""), IsEmpty());
  EXPECT_THAT(*ParseStringMaps("null"), IsEmpty());
  EXPECT_FALSE(ParseStringMaps("{}").ok());
  EXPECT_FALSE(ParseStringMaps("[1]").ok());
}

TEST(ReadStringMaps, TellsEachMemberWithItsObject) {
  std::vector<std::string> told;
  const auto take = [&told](size_t number, std::string_view key, std::string_view string) {
    told.push_back(std::to_string(number) + ":" + std::string(key) + "=" + std::string(string));
  };
  EXPECT_EQ(*ReadStringMaps(R"([{"a":"1","b":null},null,[],{"a":"2"},{}])", take), 5u);
  EXPECT_THAT(told, ElementsAre("0:a=1", "0:b=", "3:a=2"));
  EXPECT_THAT(Message(ReadStringMaps(R"([{"a":1}])", take).status()), HasSubstr("field steps.a"));
}

}  // namespace
}  // namespace troth
