#include "base/status.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

StatusOr<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

StatusOr<int> Quarter(int value) {
  TROTH_ASSIGN_OR_RETURN(const int half, Half(value));
  TROTH_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status CheckEven(int value) {
  TROTH_RETURN_IF_ERROR(Half(value).status());
  return OkStatus();
}

TEST(Status, KeepsCodeAndMessage) {
  const Status status = NotFound("transaction g1");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(Message(status), "transaction g1");
}

TEST(Status, MacrosPassValuesOnAndReturnErrors) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Message(Quarter(6).status()), "odd");
  EXPECT_TRUE(CheckEven(2).ok());
  EXPECT_EQ(Message(CheckEven(3)), "odd");
}

}  // namespace
}  // namespace troth
