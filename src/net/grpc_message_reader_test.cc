#include "net/grpc_message_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "net/gzip.h"
#include "net/http2_testing.h"

namespace troth::net {
namespace {

using Result = MessageReader::Result;

std::string Framed(char compressed, const std::string& body) {
  return Cat(std::string(1, compressed), http2::Number(static_cast<uint32_t>(body.size())), body);
}

TEST(MessageReader, ReadsMessagesHoweverTheBytesAreCut) {
  MessageReader reader(100);
  const std::string bytes = Framed(0, "first") + Framed(0, "") + Framed(0, "third");
  std::vector<std::string> messages;
  for (const char& byte : bytes) {
    std::string_view rest(&byte, 1);
    std::string message;
    if (reader.Next(rest, message) == Result::kMessage) messages.push_back(message);
  }
  EXPECT_EQ(messages, (std::vector<std::string>{"first", "", "third"}));
  EXPECT_TRUE(reader.at_boundary());
}

GrpcCode ErrorOf(MessageReader& reader, const std::string& bytes) {
  std::string_view rest = bytes;
  std::string message;
  EXPECT_EQ(reader.Next(rest, message), Result::kError);
  return reader.error().code;
}

TEST(MessageReader, InflatesNoMoreThanTheLimit) {
  MessageReader reader(1000);
  EXPECT_TRUE(reader.SetEncoding("gzip"));
  const std::string bytes = Framed(1, Gzip(std::string(1000, 'a')));
  std::string_view rest = bytes;
  std::string message;
  EXPECT_EQ(reader.Next(rest, message), Result::kMessage);
  EXPECT_EQ(message, std::string(1000, 'a'));
  EXPECT_EQ(ErrorOf(reader, Framed(1, Gzip(std::string(1001, 'a')))), GrpcCode::kResourceExhausted);
}

TEST(MessageReader, RefusesATooLargeMessageByItsHeader) {
  MessageReader reader(1000);
  EXPECT_EQ(ErrorOf(reader, Framed(0, std::string(1001, 'x')).substr(0, 5)),
            GrpcCode::kResourceExhausted);
}

TEST(MessageReader, RefusesWhatItCannotRead) {
  MessageReader plain(1000);
  EXPECT_EQ(ErrorOf(plain, Framed(1, Gzip("a"))), GrpcCode::kInternal);
  MessageReader zipped(1000);
  EXPECT_TRUE(zipped.SetEncoding("gzip"));
  EXPECT_EQ(ErrorOf(zipped, Framed(1, "not gzip")), GrpcCode::kInternal);
  MessageReader odd(1000);
  EXPECT_EQ(ErrorOf(odd, Framed(2, "a")), GrpcCode::kInternal);
  EXPECT_FALSE(odd.SetEncoding("snappy"));
}

}  // namespace
}  // namespace troth::net
