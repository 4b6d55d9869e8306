#include "wire/json_writer.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/text.h"

namespace troth {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(AppendJsonString, EscapesWhatMustBe) {
  EXPECT_EQ(Quoted("a\"b\\c\n\r\t\x01z"), R"("a\"b\\c\n\r\t\u0001z")");
  EXPECT_EQ(Quoted("grün"), "\"grün\"");
}

// It looks at eight bytes at once.
TEST(AppendJsonString, FindsWhatMustBeEscapedAtEveryPlace) {
  const std::pair<std::string_view, std::string_view> special[] = {{"\"", "\\\""},
                                                                   {"\\", "\\\\"},
                                                                   {"\x1f", "\\u001f"},
                                                                   {"\xff", "\xEF\xBF\xBD"},
                                                                   {"\u00e9", "\u00e9"}};
  const std::string plain = " !#[]~\x7fGHIJKLMNOP";
  for (size_t place = 0; place <= plain.size(); ++place) {
    const std::string before = plain.substr(0, place);
    const std::string after = plain.substr(place);
    for (const auto& [byte, escaped] : special) {
      EXPECT_EQ(Quoted(Cat(before, byte, after)), Cat("\"", before, escaped, after, "\"")) << place;
    }
  }
}

TEST(AppendJsonString, ReplacesBrokenUtf8) {
  EXPECT_EQ(Quoted("a\xff\xfe z"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD z\"");
  EXPECT_EQ(Quoted("\xe2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.BeginObject()
      .Field("a", 1)
      .Key("b")
      .BeginArray()
      .Int(1)
      .String("x")
      .BeginObject()
      .EndObject();
  json.EndArray().Key("c").Null().Key("d").Bool(false).FieldIfSet("e", "").FieldIfSet("f", 0);
  EXPECT_EQ(json.EndObject().Take(), R"({"a":1,"b":[1,"x",{}],"c":null,"d":false})");
}

}  // namespace
}  // namespace troth
