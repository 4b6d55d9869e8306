// Header blocks: the examples of RFC 7541 appendix C, what both sides make of each other, and what
// no peer may send.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "net/http2/hpack_decoder.h"
#include "net/http2/hpack_encoder.h"
#include "net/http2/huffman.h"

namespace troth::net {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string Hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Nothing of a block that cannot be read.
Fields Read(HpackDecoder& decoder, std::string_view block) {
  Fields fields;
  decoder.Begin(block);
  while (const auto field = decoder.Next()) fields.emplace_back(field->name, field->value);
  return decoder.failed() ? Fields{} : fields;
}

bool Fails(std::string_view block) {
  HpackDecoder decoder;
  Read(decoder, block);
  return decoder.failed();
}

std::string Write(HpackEncoder& encoder, const std::vector<Http2Header>& headers) {
  std::string block;
  encoder.Append(headers, block);
  return block;
}

Fields FieldsOf(const std::vector<Http2Header>& headers) {
  Fields fields;
  for (const Http2Header& header : headers) fields.emplace_back(header.name, header.value);
  return fields;
}

// RFC 7541 C.3: requests on one connection, as they are.
TEST(HpackDecoder, ReadsRequestsWithoutHuffman) {
  HpackDecoder decoder;
  EXPECT_EQ(Read(decoder, Hex("828684410f7777772e6578616d706c652e636f6d")),
            (Fields{{":method", "GET"},
                    {":scheme", "http"},
                    {":path", "/"},
                    {":authority", "www.example.com"}}));
  EXPECT_EQ(Read(decoder, Hex("828684be58086e6f2d6361636865")),
            (Fields{{":method", "GET"},
                    {":scheme", "http"},
                    {":path", "/"},
                    {":authority", "www.example.com"},
                    {"cache-control", "no-cache"}}));
  EXPECT_EQ(Read(decoder, Hex("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")),
            (Fields{{":method", "GET"},
                    {":scheme", "https"},
                    {":path", "/index.html"},
                    {":authority", "www.example.com"},
                    {"custom-key", "custom-value"}}));
}

// RFC 7541 C.4: the same ones, Huffman-coded.
TEST(HpackDecoder, ReadsRequestsWithHuffman) {
  HpackDecoder decoder;
  EXPECT_EQ(Read(decoder, Hex("828684418cf1e3c2e5f23a6ba0ab90f4ff")).back().second,
            "www.example.com");
  EXPECT_EQ(Read(decoder, Hex("828684be5886a8eb10649cbf")).back().second, "no-cache");
  EXPECT_EQ(Read(decoder, Hex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")).back(),
            (std::pair<std::string, std::string>("custom-key", "custom-value")));
}

// RFC 7541 C.2.2 and C.2.3: fields that stay out of the table.
TEST(HpackDecoder, ReadsFieldsThatAreNotIndexed) {
  HpackDecoder decoder;
  EXPECT_EQ(Read(decoder, Hex("040c2f73616d706c652f70617468")),
            (Fields{{":path", "/sample/path"}}));
  EXPECT_EQ(Read(decoder, Hex("100870617373776f726406736563726574")),
            (Fields{{"password", "secret"}}));
  EXPECT_EQ(Read(decoder, "\xbe"), Fields{});  // nothing was put into the table
}

TEST(HpackDecoder, ForgetsTheOldestWhenTheTableIsFull) {
  HpackDecoder decoder;
  const std::string value(kHpackTableBytesMax - 100, 'v');
  std::string large = Cat("\x40\x01", "a", "\x7f");
  for (size_t left = value.size() - 127;; left >>= 7) {
    large += static_cast<char>(left >= 128 ? (left & 127) | 128 : left);
    if (left < 128) break;
  }
  EXPECT_EQ(Read(decoder, Cat("\x40\x01x\x01y", large, value)).size(), 2U);
  EXPECT_EQ(Read(decoder, "\xbf"), (Fields{{"x", "y"}}));
  EXPECT_EQ(Read(decoder, Cat("\x40\x01z", std::string("\x3c"), std::string(60, 'w'))).size(), 1U);
  EXPECT_EQ(Read(decoder, "\xbe").front().first, "z");
  EXPECT_EQ(Read(decoder, "\xc0"), Fields{});
}

TEST(HpackDecoder, KeepsTheNameOfAnEntryThatIsDroppedForIt) {
  HpackDecoder decoder;
  Read(decoder, Cat("\x3f\x09", "\x40\x04name\x01", "1"));  // a table of 40 bytes
  EXPECT_EQ(Read(decoder, Cat("\x7e\x03", "two")), (Fields{{"name", "two"}}));
  // Too large for the table: the field is there, the table is empty.
  EXPECT_EQ(Read(decoder, Cat("\x7e\x09", "seventeen")), (Fields{{"name", "seventeen"}}));
  EXPECT_EQ(Read(decoder, "\xbe"), Fields{});
}

TEST(HpackDecoder, RefusesWhatCannotBeRead) {
  EXPECT_TRUE(Fails("\x80"));                              // index 0
  EXPECT_TRUE(Fails("\xff\x80\x01"));                      // an index nobody has used
  EXPECT_TRUE(Fails("\x7e\x01x"));                         // the same as a name
  EXPECT_TRUE(Fails("\x40\x05na"));                        // a text longer than the block
  EXPECT_TRUE(Fails("\x40"));                              // no name
  EXPECT_TRUE(Fails(Cat("\x40\x01", "a")));                // no value
  EXPECT_TRUE(Fails("\xff\xff\xff\xff\xff\xff\xff\x7f"));  // a number beyond all bounds
  EXPECT_TRUE(Fails("\xff"));                              // a number that ends early
  EXPECT_TRUE(Fails("\x3f\xe2\x1f"));                      // a table larger than agreed
  EXPECT_TRUE(Fails("\x82\x20"));                          // its size behind a field
  EXPECT_TRUE(Fails("\x40\x81\xff\x01x"));                 // Huffman: only padding
  EXPECT_TRUE(Fails("\x40\x82\x1f\xff\x01x"));             // Huffman: more of it than seven bits
}

TEST(HpackEncoder, SendsWhatItSentBeforeInAByteOrTwo) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  const std::vector<Http2Header> headers = {{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", "/api.trans.v1.Trans/TransOut"},
                                            {":authority", "127.0.0.1:8082"},
                                            {"content-type", "application/grpc"},
                                            {"dtm-trans_type", "msg"},
                                            {"dtm-dtm", ""}};
  EXPECT_EQ(Read(decoder, Write(encoder, headers)), FieldsOf(headers));
  const std::string again = Write(encoder, headers);
  EXPECT_EQ(again.size(), headers.size());
  EXPECT_EQ(Read(decoder, again), FieldsOf(headers));
}

TEST(HpackEncoder, KeepsUniqueValuesOutOfTheTable) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  Read(decoder, Write(encoder, {{"constant", "value"}}));
  for (int i = 0; i < 1000; ++i) {
    const std::string gid = Cat("gid-", i);
    const std::vector<Http2Header> headers = {{"dtm-gid", gid, true}, {"constant", "value"}};
    const std::string block = Write(encoder, headers);
    EXPECT_EQ(block.back(), '\xbe');  // the newest of the table still
    EXPECT_EQ(Read(decoder, block), FieldsOf(headers));
  }
}

TEST(HpackEncoder, FollowsThePeersTableSize) {
  HpackEncoder encoder;
  HpackDecoder decoder;
  const std::vector<Http2Header> headers = {{"constant", "value"}, {"other", "thing"}};
  EXPECT_EQ(Read(decoder, Write(encoder, headers)), FieldsOf(headers));
  encoder.SetPeerTableBytes(0);
  const std::string without = Write(encoder, headers);
  EXPECT_EQ(without.front(), '\x20');
  EXPECT_EQ(Write(encoder, headers).size(), without.size() - 1);  // nothing is remembered
  EXPECT_EQ(Read(decoder, without), FieldsOf(headers));
  encoder.SetPeerTableBytes(10);
  encoder.SetPeerTableBytes(1 << 20);
  const std::string with = Write(encoder, headers);
  EXPECT_EQ(with.substr(0, 4), "\x3f\xe1\x1f\x40");
  EXPECT_EQ(Read(decoder, with), FieldsOf(headers));
  EXPECT_EQ(Read(decoder, Write(encoder, headers)), FieldsOf(headers));
}

TEST(HpackEncoder, LeavesOutAHeaderWithoutName) {
  HpackEncoder encoder;
  EXPECT_EQ(Write(encoder, {{"", "value"}}), "");
}

// Texts of all sizes and bytes, repeated now and then, through tables that fill and empty.
TEST(Hpack, WhatOneSideWritesTheOtherReads) {
  Random random(7);
  HpackEncoder encoder;
  HpackDecoder decoder;
  const auto text = [&random](uint64_t size_max) {
    std::string made;
    for (uint64_t left = random.Below(size_max) + 1; left > 0; --left) {
      made.push_back(static_cast<char>(random.Below(256)));
    }
    return made;
  };
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back(text(i % 20 == 0 ? 2000 : 40));
  for (int block = 0; block < 3000; ++block) {
    if (random.Below(50) == 0) encoder.SetPeerTableBytes(static_cast<uint32_t>(random.Below(6000)));
    std::vector<Http2Header> headers;
    for (uint64_t left = random.Below(12); left > 0; --left) {
      headers.push_back({texts[random.Below(texts.size())],
                         texts[random.Below(texts.size())],
                         random.Below(4) == 0});
    }
    ASSERT_EQ(Read(decoder, Write(encoder, headers)), FieldsOf(headers)) << block;
  }
}

TEST(Huffman, ReadsEverySymbol) {
  // 'o', ' ', '~', NUL, 0xff, and 22 as their codes stand in RFC 7541 appendix B.
  const std::string bits = Cat("00111",
                               "010100",
                               "1111111111101",
                               "1111111111000",
                               "11111111111111111111101110",
                               "111111111111111111111111111110");
  std::string coded;
  for (size_t at = 0; at < bits.size(); at += 8) {
    std::string byte = bits.substr(at, 8);
    byte.resize(8, '1');
    coded.push_back(static_cast<char>(std::stoi(byte, nullptr, 2)));
  }
  std::string text;
  EXPECT_TRUE(HuffmanDecode(coded, text));
  EXPECT_EQ(text, std::string("o ~\0\xff\x16", 6));
}

TEST(Huffman, RefusesWrongPaddingAndASpelledOutEnd) {
  std::string text;
  EXPECT_TRUE(HuffmanDecode(Hex("1f"), text));     // 'a' and three ones
  EXPECT_FALSE(HuffmanDecode(Hex("1e"), text));    // a zero in the padding
  EXPECT_FALSE(HuffmanDecode(Hex("1fff"), text));  // more than seven
  EXPECT_FALSE(HuffmanDecode(Hex("ffffffff"), text));
}

}  // namespace
}  // namespace troth::net
