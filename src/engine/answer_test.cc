#include "engine/answer.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace troth {
namespace {

TEST(CutText, KeepsWholeCharacters) {
  std::string text = "aé漢";  // 1, 2 and 3 bytes
  CutText(text, 6);
  EXPECT_EQ(text, "aé漢");
  CutText(text, 5);
  EXPECT_EQ(text, "aé");
  CutText(text, 2);
  EXPECT_EQ(text, "a");
  CutText(text, 0);
  EXPECT_EQ(text, "");
}

TEST(CutText, EndsOnBytesThatAreNoText) {
  std::string text(10, '\x80');
  CutText(text, 5);
  EXPECT_EQ(text, "");
}

constexpr bool kAsDtm = false;
constexpr bool kStrict = true;

TEST(WaitAnswer, CallsWhatGoesOnAFailureUnlessItIsStrict) {
  for (const TransType type : {TransType::kSaga, TransType::kMsg}) {
    Transaction txn;
    txn.type = type;
    txn.status = TransStatus::kSubmitted;
    EXPECT_EQ(WaitAnswer(txn, {}, {}, kAsDtm).code, ReplyCode::kFailure) << WireName(type);
    EXPECT_EQ(WaitAnswer(txn, {}, {}, kStrict).code, ReplyCode::kOngoing) << WireName(type);
    txn.status = TransStatus::kFailed;
    EXPECT_EQ(WaitAnswer(txn, {}, {}, kStrict).code, ReplyCode::kFailure) << WireName(type);
  }
}

TEST(WaitAnswer, EndsASagasReasonWithFailure) {
  Transaction txn;
  txn.type = TransType::kSaga;
  txn.status = TransStatus::kFailed;
  txn.rollback_reason = "Timeout after 4 seconds";
  EXPECT_EQ(WaitAnswer(txn, {}, {}, kAsDtm).message, "Timeout after 4 seconds FAILURE");
  txn.rollback_reason = "url:a return failed: no FAILURE";
  EXPECT_EQ(WaitAnswer(txn, {}, {}, kAsDtm).message, "url:a return failed: no FAILURE");
}

TEST(WaitAnswer, IsASuccessForWhoAskedForTheRollback) {
  Transaction txn;
  txn.type = TransType::kTcc;
  txn.status = TransStatus::kFailed;
  EXPECT_EQ(WaitAnswer(txn, {}, {.token = 1, .aborts = true}, kAsDtm).code, ReplyCode::kOk);
  EXPECT_EQ(WaitAnswer(txn, {}, {.token = 1}, kAsDtm).code, ReplyCode::kFailure);
}

}  // namespace
}  // namespace troth
