#include "store/dtm/column_limits.h"

#include <gtest/gtest.h>

namespace troth::dtm {
namespace {

TEST(ColumnLimits, LetsEverythingThroughAtFirst) {
  Changes changes;
  changes.added.push_back({.bin_data = std::string(1 << 20, 'x')});
  EXPECT_TRUE(ColumnLimits().Check(changes).ok());
}

TEST(ColumnLimits, NamesTheColumnItsLimitAndTheWayOut) {
  ColumnLimits limits;
  limits.SetCharacters(Column::kUrl, 5);
  Changes changes;
  changes.added.push_back({.url = "12345"});
  EXPECT_TRUE(limits.Check(changes).ok());
  changes.added.push_back({.url = "123456"});
  const Status refused = limits.Check(changes);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(refused),
            "trans_branch_op.url of the store holds 5 characters, this one has 6; send less, or "
            "have the operator run: troth store widen");
}

TEST(ColumnLimits, CountsCharactersOrBytes) {
  const std::string umlauts = "\xc3\xa4\xc3\xb6\xc3\xbc";
  Changes changes;
  changes.global.custom_data = umlauts;
  ColumnLimits limits;
  limits.SetCharacters(Column::kCustomData, 3);
  EXPECT_TRUE(limits.Check(changes).ok());
  limits.SetBytes(Column::kCustomData, 5);
  EXPECT_FALSE(limits.Check(changes).ok());
}

TEST(ColumnLimits, CutsAReasonBetweenCharacters) {
  const std::string umlauts = "\xc3\xa4\xc3\xb6\xc3\xbc";
  ColumnLimits limits;
  EXPECT_EQ(limits.Fit(Column::kRollbackReason, umlauts), umlauts);
  limits.SetCharacters(Column::kRollbackReason, 2);
  EXPECT_EQ(limits.Fit(Column::kRollbackReason, umlauts), umlauts.substr(0, 4));
  limits.SetBytes(Column::kRollbackReason, 3);
  EXPECT_EQ(limits.Fit(Column::kRollbackReason, umlauts), umlauts.substr(0, 2));
}

}  // namespace
}  // namespace troth::dtm
