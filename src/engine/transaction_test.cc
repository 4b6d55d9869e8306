#include "engine/transaction.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

constexpr TimePoint kNow = TimePoint(std::chrono::hours(1));

constexpr TransStatus kAll[] = {TransStatus::kPrepared,
                                TransStatus::kSubmitted,
                                TransStatus::kAborting,
                                TransStatus::kSucceeded,
                                TransStatus::kFailed};

TEST(WireName, IsReadBackAsTheSameValue) {
  for (const TransStatus status : kAll) EXPECT_EQ(ParseTransStatus(WireName(status)), status);
  for (int i = 0; i <= static_cast<int>(TransType::kWorkflow); ++i) {
    EXPECT_EQ(ParseTransType(WireName(TransType(i))), TransType(i));
  }
  for (int i = 0; i <= static_cast<int>(BranchStatus::kFailed); ++i) {
    EXPECT_EQ(ParseBranchStatus(WireName(BranchStatus(i))), BranchStatus(i));
  }
  for (int i = 0; i <= static_cast<int>(BranchOp::kBusiness); ++i) {
    EXPECT_EQ(ParseBranchOp(WireName(BranchOp(i))), BranchOp(i));
  }
  for (int i = 0; i <= static_cast<int>(Protocol::kJsonRpc); ++i) {
    EXPECT_EQ(ParseProtocol(WireName(Protocol(i))), Protocol(i));
  }
}

TEST(Parse, RefusesWhatIsNoWireName) {
  EXPECT_EQ(ParseTransStatus("succeeded"), std::nullopt);
  EXPECT_EQ(ParseTransType(""), std::nullopt);
  EXPECT_EQ(ParseBranchOp("msg"), std::nullopt);  // never stored
  EXPECT_EQ(ParseBranchOp("workflow"), std::nullopt);
  EXPECT_EQ(ParseProtocol("tcp"), std::nullopt);
  EXPECT_EQ(ParseProtocol(""), Protocol::kHttp);
}

TEST(MayFollow, AllowsTheMovesOfTheStatusMachineOnly) {
  const auto may = [](TransStatus from, TransStatus to) {
    using enum TransStatus;
    if (from == kPrepared) return to != kPrepared;
    if (from == kSubmitted) return to == kAborting || to == kSucceeded || to == kFailed;
    if (from == kAborting) return to == kAborting || to == kFailed;
    return false;
  };
  for (const TransStatus from : kAll) {
    for (const TransStatus to : kAll) {
      EXPECT_EQ(MayFollow(from, to), may(from, to)) << WireName(from) << " " << WireName(to);
    }
  }
}

TEST(ChangeStatus, SetsTheTimeThatGoesWithTheEnd) {
  Transaction txn;
  ChangeStatus(txn, TransStatus::kSubmitted, kNow);
  EXPECT_EQ(txn.update_time, kNow);
  ChangeStatus(txn, TransStatus::kSucceeded, kNow);
  EXPECT_EQ(txn.finish_time, kNow);
  EXPECT_EQ(txn.rollback_time, std::nullopt);
  Transaction other;
  ChangeStatus(other, TransStatus::kFailed, kNow);
  EXPECT_EQ(other.finish_time, std::nullopt);
  EXPECT_EQ(other.rollback_time, kNow);
}

TEST(ChangeStatusDeathTest, StopsAtAForbiddenMove) {
  Transaction txn;
  txn.status = TransStatus::kFailed;
  EXPECT_DEATH(ChangeStatus(txn, TransStatus::kSubmitted, kNow), "MayFollow");
}

TEST(WaitsForRetry, OnlyWhenParkedAfterACallThatIsRepeated) {
  Transaction txn;
  txn.status = TransStatus::kSubmitted;
  EXPECT_FALSE(WaitsForRetry(txn)) << "a delayed message has not been called yet";
  txn.attempts = {{.row = 0, .next_try = kNow}, {.row = 1, .next_try = std::nullopt}};
  EXPECT_TRUE(WaitsForRetry(txn));
  txn.leased = true;
  EXPECT_FALSE(WaitsForRetry(txn));
  txn.leased = false;
  txn.status = TransStatus::kSucceeded;
  EXPECT_FALSE(WaitsForRetry(txn));
}

TEST(WaitsForRetry, ACheckBackCountsWhileItsMessageIsPrepared) {
  Transaction txn;
  txn.attempts = {{.row = kCallbackAttempt, .next_try = kNow}};
  EXPECT_TRUE(WaitsForRetry(txn));
  txn.status = TransStatus::kSubmitted;
  EXPECT_FALSE(WaitsForRetry(txn)) << "it may be delayed";
}

TEST(FindBranch, LooksForIdAndOp) {
  Transaction txn;
  txn.branches.resize(2);
  txn.branches[0].branch_id = "01";
  txn.branches[0].op = BranchOp::kCompensate;
  txn.branches[1].branch_id = "01";
  EXPECT_EQ(FindBranch(txn, "01", BranchOp::kAction), 1u);
  EXPECT_EQ(FindBranch(txn, "1", BranchOp::kAction), std::nullopt);
}

}  // namespace
}  // namespace troth
