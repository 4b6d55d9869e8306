#include "engine/attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_script_test_util.h"

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Errors(const std::vector<Attempt>& attempts) {
  std::vector<std::string> errors;
  for (const Attempt& attempt : attempts) errors.push_back(attempt.error);
  return errors;
}

TEST(AddAttempt, TheOldestOfTheRowMakesRoom) {
  std::vector<Attempt> attempts;
  for (const auto& [row, error] :
       {std::pair(0u, "a"), std::pair(1u, "b"), std::pair(1u, "c"), std::pair(1u, "d")}) {
    AddAttempt(attempts, {.row = row, .error = error}, {.per_row = 2, .in_all = 4});
  }
  EXPECT_THAT(Errors(attempts), ElementsAre("a", "c", "d"));
}

TEST(AddAttempt, TheOldestOfAllMakesRoomForANewRow) {
  std::vector<Attempt> attempts;
  for (uint32_t row = 0; row < 4; ++row) {
    AddAttempt(attempts, {.row = row, .error = std::to_string(row)}, {.per_row = 2, .in_all = 3});
  }
  EXPECT_THAT(Errors(attempts), ElementsAre("1", "2", "3"));
}

TEST(AddAttempt, CallsHeldBackPushOutNoRealOne) {
  std::vector<Attempt> attempts;
  const AttemptBounds bounds{.per_row = 2, .in_all = 4};
  AddAttempt(attempts, {.row = 0, .error = "a"}, bounds);
  AddAttempt(attempts, {.row = 0, .error = "held 1", .held_back = true}, bounds);
  AddAttempt(attempts, {.row = 0, .error = "held 2", .held_back = true}, bounds);
  EXPECT_THAT(Errors(attempts), ElementsAre("a", "held 2"));
  AddAttempt(attempts, {.row = 0, .error = "b"}, bounds);
  AddAttempt(attempts, {.row = 0, .error = "held 3", .held_back = true}, bounds);
  EXPECT_THAT(Errors(attempts), ElementsAre("a", "b"));
}

TEST(AddAttempt, CallsHeldBackMakeRoomForRealOnes) {
  std::vector<Attempt> attempts;
  const AttemptBounds bounds{.per_row = 2, .in_all = 3};
  AddAttempt(attempts, {.row = 0, .error = "a"}, bounds);
  AddAttempt(attempts, {.row = 1, .error = "held", .held_back = true}, bounds);
  AddAttempt(attempts, {.row = 2, .error = "b"}, bounds);
  AddAttempt(attempts, {.row = 3, .error = "c"}, bounds);
  EXPECT_THAT(Errors(attempts), ElementsAre("a", "b", "c"));
  AddAttempt(attempts, {.row = 4, .error = "held", .held_back = true}, bounds);
  EXPECT_THAT(Errors(attempts), ElementsAre("a", "b", "c"));
}

class AttemptLog : public ::testing::Test {
 protected:
  void SetUp() override {
    script_.auto_store = true;
    script_.Send(SubmitOf("m1", TransType::kMsg, {"a", "b"}));
    script_.Advance(Seconds(0));
  }
  const std::vector<Attempt>& attempts() { return script_.stored("m1").attempts; }

  EngineScript script_;
};

TEST_F(AttemptLog, SuccessesLeaveNoTrace) {
  script_.Done("m1", "01", BranchOp::kAction, Succeeds());
  script_.Done("m1", "02", BranchOp::kAction, Succeeds());
  script_.Advance(Seconds(0));
  EXPECT_EQ(script_.stored("m1").status, TransStatus::kSucceeded);
  EXPECT_THAT(attempts(), IsEmpty());
}

TEST_F(AttemptLog, TellsWhatCameOfACallAndWhenTheNextIs) {
  script_.Advance(Seconds(2));
  const TimePoint answered = script_.now();
  script_.Done("m1",
               "01",
               BranchOp::kAction,
               {.outcome = BranchOutcome::kUnknown, .text = "connection refused"});
  script_.Advance(Seconds(0));
  ASSERT_THAT(attempts(), SizeIs(1));
  const Attempt& attempt = attempts().front();
  EXPECT_EQ(attempt.row, 0u);
  EXPECT_EQ(attempt.outcome, BranchOutcome::kUnknown);
  EXPECT_EQ(attempt.time, answered);
  EXPECT_EQ(attempt.latency, Seconds(2));
  EXPECT_EQ(attempt.error, "connection refused");
  EXPECT_EQ(attempt.next_try, script_.stored("m1").next_cron_time);
}

TEST_F(AttemptLog, ARefusalHasNoNextTry) {
  script_.Send(SubmitOf("s1", TransType::kSaga, {"a"}));
  script_.Advance(Seconds(0));
  script_.Done("s1",
               "01",
               BranchOp::kAction,
               {.outcome = BranchOutcome::kFailed, .text = "no money FAILURE"});
  script_.Advance(Seconds(0));
  const std::vector<Attempt>& refused = script_.stored("s1").attempts;
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused.front().outcome, BranchOutcome::kFailed);
  EXPECT_EQ(refused.front().next_try, std::nullopt);
}

}  // namespace
}  // namespace troth
