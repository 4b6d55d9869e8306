#include "base/text_buffer.h"

#include <gtest/gtest.h>

#include <limits>

namespace troth {
namespace {

TEST(TextBuffer, HoldsWhatWasAppended) {
  TextBuffer text;
  EXPECT_EQ(text.view(), "");
  text.Append("");
  text.Append("ab");
  text.Append('c');
  text.AppendNumber(std::numeric_limits<int64_t>::min());
  text.AppendWritten(10, [](char* to) {
    *to = '!';
    return to + 1;
  });
  EXPECT_EQ(text.view(), "abc-9223372036854775808!");
}

TEST(TextBuffer, Grows) {
  TextBuffer text;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    text.Append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(text.view(), expected);
}

TEST(TextBuffer, ReplacesByShorterAndLonger) {
  TextBuffer text;
  text.Append("$000 end");
  text.Replace(1, 3, "7");
  EXPECT_EQ(text.view(), "$7 end");
  text.Replace(1, 1, "123456789012345678901234567890");
  EXPECT_EQ(text.view(), "$123456789012345678901234567890 end");
  text.Replace(0, 1, "#");
  EXPECT_EQ(text.view().front(), '#');
}

TEST(TextBuffer, ClearsAndIsUsedAgain) {
  TextBuffer text;
  text.Append("a long text that needs memory");
  text.Clear(1 << 20);
  text.Append("b");
  EXPECT_EQ(text.view(), "b");
  text.Clear(0);
  EXPECT_EQ(text.view(), "");
  text.Append("c");
  EXPECT_EQ(text.view(), "c");
}

}  // namespace
}  // namespace troth
