// The engine from the outside: what it asks for, event by event. Whole conversations are in
// test/golden.

#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_script_test_util.h"

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace troth
