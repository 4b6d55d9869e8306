#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace troth {
namespace {

using testing::ElementsAre;

TEST(Cat, JoinsTextAndIntegers) {
  const std::string gid = "g1";
  EXPECT_EQ(Cat("gid ", gid, " has ", 3, " branches", '!'), "gid g1 has 3 branches!");
  EXPECT_EQ(Cat(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(Cat(std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(Cat(std::string_view(), ""), "");
}

TEST(CatTo, Appends) {
  std::string out = "a";
  CatTo(out, "b", 1);
  EXPECT_EQ(out, "ab1");
}

TEST(TrimSpace, TakesSpaceOffBothEnds) {
  EXPECT_EQ(TrimSpace(" \t a b\r\n"), "a b");
  EXPECT_EQ(TrimSpace(" \n"), "");
  EXPECT_EQ(TrimSpace(""), "");
}

TEST(Case, KnowsAsciiOnly) {
  EXPECT_EQ(ToLower("AbZ-\xc3\x84"), "abz-\xc3\x84");
  EXPECT_TRUE(EqualsIgnoreCase("Content-Type", "content-type"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(Split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split("a", ','), ElementsAre("a"));
}

TEST(JoinText, PutsTheSeparatorBetween) {
  EXPECT_EQ(JoinText({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(JoinText({}, ", "), "");
}

TEST(ParseInt, ReadsWholeNumbers) {
  EXPECT_EQ(ParseInt("0"), 0);
  EXPECT_EQ(ParseInt("+8"), 8);
  EXPECT_EQ(ParseInt("-8"), -8);
  EXPECT_EQ(ParseInt("007"), 7);
  EXPECT_EQ(ParseInt("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseInt("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(ParseInt, RefusesEverythingElse) {
  for (const char* text : {"",
                           "+",
                           "-",
                           "+-8",
                           "++8",
                           " 8",
                           "8 ",
                           "8.0",
                           "0x8",
                           "1e3",
                           "eight",
                           "9223372036854775808",
                           "-9223372036854775809"}) {
    EXPECT_EQ(ParseInt(text), std::nullopt) << text;
  }
}

TEST(Utf8, AcceptsWellFormedText) {
  for (const char* text : {"",
                           "plain",
                           "\xc3\xa4",
                           "\xe2\x82\xac",
                           "\xf0\x9f\x98\x80",
                           "\xed\x9f\xbf",
                           "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
    EXPECT_EQ(ToValidUtf8(text), text);
  }
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesIllFormedText) {
  for (const char* text : {
           "\x80",              // a continuation alone
           "\xc3",              // cut short
           "\xe2\x82",          // cut short
           "\xf0\x9f\x98",      // cut short
           "\xc0\xaf",          // overlong
           "\xe0\x80\xaf",      // overlong
           "\xf0\x80\x80\xaf",  // overlong
           "\xed\xa0\x80",      // a surrogate
           "\xf4\x90\x80\x80",  // above U+10FFFF
           "\xff",
           "a\xc3"
           "b",
       }) {
    EXPECT_FALSE(IsValidUtf8(text));
    EXPECT_TRUE(IsValidUtf8(ToValidUtf8(text)));
  }
}

TEST(Utf8, ReplacesOnlyTheBytesThatAreWrong) {
  EXPECT_EQ(ToValidUtf8("a\xff\xc3\xa4"), "a\xef\xbf\xbd\xc3\xa4");
  EXPECT_EQ(ToValidUtf8("a\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Base64, EncodesTheRfcExamples) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, DecodesBothAlphabetsWithAndWithoutPadding) {
  EXPECT_EQ(Base64Decode(""), "");
  EXPECT_EQ(Base64Decode("Zg=="), "f");
  EXPECT_EQ(Base64Decode("Zg"), "f");
  EXPECT_EQ(Base64Decode("Zm9vYmFy"), "foobar");
  EXPECT_EQ(Base64Decode("-_8"), Base64Decode("+/8="));
}

TEST(Base64, GivesBackEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(Base64Decode(Base64Encode(bytes.substr(0, size))), bytes.substr(0, size));
  }
}

TEST(Base64, RefusesBadInput) {
  for (const char* text :
       {"Z", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v!", "Zm 9v", "Zg==Zg=="}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(PercentDecode, DecodesEscapes) {
  EXPECT_EQ(PercentDecode("a%41%7eb"), "aA~b");
  EXPECT_EQ(PercentDecode("%E2%82%AC"), "\xe2\x82\xac");
  EXPECT_EQ(PercentDecode("%00"), std::string(1, '\0'));
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  EXPECT_EQ(PercentDecode("%2B", true), "+");
}

TEST(PercentDecode, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%4", "a%4", "%4g", "%g4", "%%41"}) {
    EXPECT_EQ(PercentDecode(text), std::nullopt) << text;
  }
}

TEST(QueryEscape, IsUndoneByPercentDecode) {
  EXPECT_EQ(QueryEscape("a b&c=d/\xc3\xa4~-._"), "a+b%26c%3Dd%2F%C3%A4~-._");
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(PercentDecode(QueryEscape(bytes), true), bytes);
}

}  // namespace
}  // namespace troth
