#include "net/http2_frame_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "net/http2_session.h"
#include "net/http2_testing.h"

namespace troth::net {
namespace {

using http2::Encode;
using http2::Frame;

const std::string kRequest = Encode({http2::kHeaders, http2::kEndHeaders, 1, "block"});
const std::string kWholeRequest =
    Encode({http2::kHeaders, http2::kEndHeaders | http2::kEndStream, 1, "block"});

class Http2FrameGuardTest : public testing::Test {
 protected:
  Http2FrameGuardTest() { EXPECT_TRUE(Passes(http2::kPreface)); }
  bool Passes(std::string_view bytes) { return guard_.Scan(bytes) == bytes.size(); }

  Http2FrameGuard guard_{true};
};

TEST_F(Http2FrameGuardTest, LetsARequestPass) {
  EXPECT_TRUE(Passes(kRequest));
  EXPECT_TRUE(Passes(Encode({http2::kData, http2::kNoFlags, 1, "some"})));
  EXPECT_TRUE(Passes(Encode({http2::kData, http2::kEndStream, 1, "more"})));
  EXPECT_TRUE(Passes(Encode({http2::kWindowUpdate, http2::kNoFlags, 1, http2::Number(100)})));
  EXPECT_TRUE(Passes(Encode({http2::kReset, http2::kNoFlags, 1, http2::Number(8)})));
  EXPECT_EQ(guard_.fault(), Http2Error::kNone);
}

TEST_F(Http2FrameGuardTest, HandsOnWhatComesBeforeTheFault) {
  const std::string bad = Encode({http2::kData, http2::kNoFlags, 1, "late"});
  const std::string bytes = Cat(kWholeRequest, bad, kRequest);
  EXPECT_EQ(guard_.Scan(bytes), kWholeRequest.size());
  EXPECT_EQ(guard_.fault(), Http2Error::kStreamClosed);
  EXPECT_EQ(guard_.Scan("more"), 0U);
}

TEST_F(Http2FrameGuardTest, SeesTheSameHoweverTheBytesAreCut) {
  const std::string bytes = Cat(kWholeRequest, Encode({http2::kData, 0, 1, "late"}));
  for (const char byte : bytes) guard_.Scan({&byte, 1});
  EXPECT_EQ(guard_.fault(), Http2Error::kStreamClosed);
}

TEST_F(Http2FrameGuardTest, SeesFramesOnAStreamThatWasReset) {
  EXPECT_TRUE(Passes(kRequest));
  EXPECT_TRUE(Passes(Encode({http2::kReset, http2::kNoFlags, 1, http2::Number(8)})));
  EXPECT_FALSE(Passes(Encode({http2::kHeaders, http2::kEndHeaders, 1, "block"})));
  EXPECT_EQ(guard_.fault(), Http2Error::kStreamClosed);
}

TEST_F(Http2FrameGuardTest, SeesAStreamThatWasPassedOver) {
  EXPECT_TRUE(Passes(Encode({http2::kHeaders, http2::kEndHeaders, 5, "block"})));
  EXPECT_FALSE(Passes(Encode({http2::kHeaders, http2::kEndHeaders, 3, "block"})));
  EXPECT_EQ(guard_.fault(), Http2Error::kProtocol);
}

TEST_F(Http2FrameGuardTest, SeesAFloodOfControlFramesUnlessWeHadSomethingToSay) {
  const std::string ping = Encode({.type = http2::kPing, .payload = std::string(8, 'p')});
  for (uint32_t i = 0; i < Http2FrameGuard::kControlFramesMax; ++i) EXPECT_TRUE(Passes(ping));
  guard_.OnProgress();
  for (uint32_t i = 0; i < Http2FrameGuard::kControlFramesMax; ++i) EXPECT_TRUE(Passes(ping));
  EXPECT_FALSE(Passes(ping));
  EXPECT_EQ(guard_.fault(), Http2Error::kEnhanceYourCalm);
}

TEST(Http2FrameGuardOfAClient, ExpectsNoPrefaceAndLeavesStreamsToTheServer) {
  Http2FrameGuard guard(false);
  const std::string bytes = kWholeRequest + kRequest;
  EXPECT_EQ(guard.Scan(bytes), bytes.size());
}

}  // namespace
}  // namespace troth::net
