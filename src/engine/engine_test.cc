// The engine from the outside: its bounds and what it keeps in memory. Whole conversations are in
// test/golden.

#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "engine/engine_script_test_util.h"

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EngineOptions WithLimits(const Limits& limits) {
  EngineOptions options;
  options.limits = limits;
  return options;
}

TEST(Engine, SavesATwoBranchMsgExactlyTwice) {
  EngineScript script;
  script.Send(SubmitOf("m1", TransType::kMsg, {"a", "b"}));
  EXPECT_THAT(script.Take(), ElementsAre("@0 save m1 v1 submitted lease=10 iv=10 rows=PP"));
  script.Saved("m1");
  EXPECT_THAT(script.Take(), ElementsAre("@0 reply #1 ok", "@0 call m1/01 action a"));
  script.Done("m1", "01", BranchOp::kAction, Succeeds());
  EXPECT_THAT(script.Take(), ElementsAre("@0 call m1/02 action b"));
  script.Done("m1", "02", BranchOp::kAction, Succeeds());
  EXPECT_THAT(script.Take(), ElementsAre("@0 save m1 v2 succeed rows=SS"));
  script.Saved("m1");
  EXPECT_THAT(script.Take(), ElementsAre("@0 ended m1 succeed"));
  EXPECT_EQ(script.engine().resident(), 0u);
  EXPECT_THAT(script.breaches(), IsEmpty());
}

TEST(Engine, RefusesMoreTransactionsThanItMayHaveInFlight) {
  EngineScript script(WithLimits({.in_flight_max = 2}));
  script.Send(SubmitOf("m1", TransType::kMsg, {"a"}));
  script.Send(SubmitOf("m2", TransType::kMsg, {"a"}));
  EXPECT_EQ(script.engine().room(), 0u);
  script.Take();
  script.Send(SubmitOf("m3", TransType::kMsg, {"a"}));
  EXPECT_THAT(
      script.Take(),
      ElementsAre("@0 reply #3 overloaded: too many transactions in flight (2): try again later"));
  // One that is in flight may still be asked about, and a place that becomes free is used.
  script.Send(PrepareOf("m1", TransType::kMsg));
  script.Saved("m1");
  script.Done("m1", "01", BranchOp::kAction, Succeeds());
  script.Saved("m1");
  EXPECT_EQ(script.engine().room(), 1u);
  script.Take();
  script.Send(SubmitOf("m3", TransType::kMsg, {"a"}));
  EXPECT_THAT(script.Take(), ElementsAre(HasSubstr("save m3")));
}

TEST(Engine, RefusesMoreRequestsThanMayWaitForOneSave) {
  EngineScript script(WithLimits({.waiting_requests_max = 2}));
  for (int i = 0; i < 4; ++i) script.Send(PrepareOf("t1", TransType::kTcc));
  EXPECT_THAT(script.Take(),
              ElementsAre(HasSubstr("save t1"),
                          "@0 reply #4 overloaded: too many requests wait for gid: t1: try again "
                          "later"));
  script.Saved("t1");
  EXPECT_THAT(script.Take(), ElementsAre("@0 reply #1 ok", "@0 reply #2 ok", "@0 reply #3 ok"));
}

TEST(Engine, KeepsTheIdleTransactionsUsedLast) {
  EngineScript script(WithLimits({.resident_idle_max = 2}));
  script.auto_store = true;
  for (const char* gid : {"t1", "t2", "t3"}) {
    script.Send(PrepareOf(gid, TransType::kTcc));
    script.Advance(Seconds(1));
  }
  EXPECT_EQ(script.engine().resident(), 2u);
  EXPECT_EQ(script.engine().busy(), 0u);
  script.Take();
  script.Send(RegisterOf("t3", TransType::kTcc, "01", "u"));
  EXPECT_THAT(script.Take(), ElementsAre(HasSubstr("save t3"), HasSubstr("ok")));
  script.Send(RegisterOf("t1", TransType::kTcc, "01", "u"));
  EXPECT_THAT(script.Take(), ElementsAre("@3 load t1", HasSubstr("save t1"), HasSubstr("ok")));
}

TEST(Engine, TakesNoClaimItHasNoRoomFor) {
  EngineScript script(WithLimits({.in_flight_max = 1}));
  script.Send(SubmitOf("m1", TransType::kMsg, {"a"}));
  script.Saved("m1");
  script.Crash();
  script.Send(SubmitOf("m2", TransType::kMsg, {"a"}));
  script.Take();
  script.Claim("m1");
  EXPECT_THAT(script.Take(), IsEmpty());
}

TEST(Engine, RefusesMoreBranchesThanATransactionMayHave) {
  EngineScript script(WithLimits({.branches_max = 4}));
  script.auto_store = true;
  script.Send(PrepareOf("t1", TransType::kTcc));
  script.Send(RegisterOf("t1", TransType::kTcc, "01", "u"));
  script.Send(RegisterOf("t1", TransType::kTcc, "02", "u"));
  script.Take();
  script.Send(RegisterOf("t1", TransType::kTcc, "03", "u"));
  EXPECT_THAT(script.Take(),
              ElementsAre("@0 reply #4 error(8): gid: t1 has 4 branch rows, no more than 4 are "
                          "allowed"));
}

TEST(Engine, CutsALongReason) {
  EngineScript script(WithLimits({.reason_bytes_max = 8}));
  script.auto_store = true;
  script.Send(SubmitOf("s1", TransType::kSaga, {"a"}));
  script.Done("s1", "01", BranchOp::kAction, Fails("no FAILURE"));
  EXPECT_EQ(script.stored("s1").rollback_reason, "url:a re");
}

TEST(Engine, ExpectsWhatItKnowsAndWhatItDoesNot) {
  EngineScript script;
  script.engine().Expect(SaveDone{.id = 12345, .version = 1});  // there are no slots yet
  script.engine().Expect(Tick{});
  script.Send(SubmitOf("m1", TransType::kMsg, {"a"}));
  script.engine().Expect(SaveDone{.id = UINT64_MAX, .version = 1});
  script.Take();
  script.Saved("m1");
  EXPECT_THAT(script.Take(), ElementsAre("@0 reply #1 ok", "@0 call m1/01 action a"));
}

TEST(Engine, IgnoresAnswersNobodyWaitsFor) {
  EngineScript script;
  Actions actions;
  for (const TxnId id : {TxnId{0}, TxnId{1} << 32, ~TxnId{0}}) {
    script.engine().Step(script.now(), SaveDone{.id = id, .version = 1}, actions);
    script.engine().Step(script.now(), LoadDone{.id = id}, actions);
    script.engine().Step(script.now(), CallDone{.id = id, .call = 1}, actions);
  }
  EXPECT_THAT(actions, IsEmpty());
}

TEST(Engine, CallsNothingOfASagaWhoseRowsAreNoSteps) {
  EngineScript script;
  script.auto_store = true;
  Request request = SubmitOf("s1", TransType::kSaga, {"a", "b"});
  request.draft.branches.pop_back();
  script.Send(std::move(request));
  EXPECT_THAT(script.calls(), IsEmpty());
  EXPECT_EQ(script.due("s1"), script.now() + Seconds(Limits{}.retry_interval_max));
}

TEST(Engine, WakesOnlyForWhatIsOpen) {
  EngineScript script;
  EXPECT_EQ(script.engine().NextDeadline(), std::nullopt);
  script.Send(SubmitOf("m1", TransType::kMsg, {"a"}));
  EXPECT_EQ(script.engine().NextDeadline(), std::nullopt);  // the save answers by itself
  script.Saved("m1");
  EXPECT_EQ(script.engine().NextDeadline(), script.now() + Seconds(5));  // half the lease
  script.Done("m1", "01", BranchOp::kAction, Succeeds());
  script.Saved("m1");
  EXPECT_EQ(script.engine().NextDeadline(), std::nullopt);
}

TEST(Engine, ManyBranchesCostNoMoreThanTheirNumber) {
  EngineScript script;
  script.auto_store = true;
  script.Send(SubmitOf("m1", TransType::kMsg, std::vector<std::string>(2000, "a")));
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(script.calls().size(), 1u);
    const EngineScript::OpenCall call = script.calls().front();
    script.Done(call.gid, call.branch_id, call.op, Succeeds());
  }
  EXPECT_EQ(script.stored("m1").status, TransStatus::kSucceeded);
}

}  // namespace
}  // namespace troth
