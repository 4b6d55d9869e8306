#include "store/coding.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace troth::coding {
namespace {

TEST(Coding, ReadsBackEveryNumber) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{1}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 63, UINT64_MAX}) {
    std::string bytes;
    PutVarint(bytes, value);
    Reader in(bytes);
    EXPECT_EQ(in.Varint(), value);
    EXPECT_TRUE(in.Finished());
  }
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{63}, INT64_MIN, INT64_MAX}) {
    std::string bytes;
    PutSigned(bytes, value);
    Reader in(bytes);
    EXPECT_EQ(in.Signed(), value);
    EXPECT_TRUE(in.Finished());
  }
}

TEST(Coding, KeepsSmallNumbersSmall) {
  std::string bytes;
  PutSigned(bytes, -64);
  PutVarint(bytes, 127);
  EXPECT_EQ(bytes.size(), 2U);
}

TEST(Coding, StopsAtTheEnd) {
  Reader in(std::string_view("\x85", 1));
  EXPECT_EQ(in.Varint(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.Text(), "");
  EXPECT_EQ(in.Byte(), 0);
}

TEST(Coding, RefusesANumberBeyond64Bits) {
  Reader in(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  in.Varint();
  EXPECT_FALSE(in.ok());
}

TEST(Coding, RefusesTextLongerThanTheBytes) {
  Reader in(std::string_view("\x05only", 5));
  EXPECT_EQ(in.Text(), "");
  EXPECT_FALSE(in.ok());
}

TEST(Coding, RefusesMoreThingsThanTheBytesCanHold) {
  std::string bytes;
  PutVarint(bytes, 1'000'000'000);
  bytes += "abcdef";
  Reader in(bytes);
  EXPECT_EQ(in.Count(1), 0U);
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace troth::coding
