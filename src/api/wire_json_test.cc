#include "api/wire_json.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

Transaction FinishedSaga() {
  Transaction txn;
  txn.gid = "g1";
  txn.type = TransType::kSaga;
  txn.status = TransStatus::kSucceeded;
  txn.create_time = FromMicros(1795250000000000);
  txn.update_time = FromMicros(1795250000250000);
  txn.finish_time = txn.update_time;
  txn.next_cron_interval = 10;
  txn.next_cron_time = FromMicros(1795250010000000);
  txn.payloads = {"{\"x\":1}"};
  Branch branch{.branch_id = "01", .op = BranchOp::kCompensate, .url = "http://h/c", .payload = 0};
  branch.create_time = branch.update_time = txn.create_time;
  txn.branches.push_back(branch);
  branch.op = BranchOp::kAction;
  branch.url = "http://h/a";
  branch.status = BranchStatus::kSucceeded;
  branch.finish_time = txn.update_time;
  txn.branches.push_back(branch);
  return txn;
}

TEST(QueryJson, WritesTheKeysInDtmsOrderAndLeavesEmptyOnesOut) {
  const Transaction txn = FinishedSaga();
  EXPECT_EQ(
      QueryJson(&txn, {}),
      R"({"branches":[{"id":0,"create_time":"2026-11-21T08:33:20Z","update_time":"2026-11-21T08:33:20Z",)"
      R"("gid":"g1","url":"http://h/c","bin_data":"eyJ4IjoxfQ==","branch_id":"01","op":"compensate",)"
      R"("status":"prepared"},{"id":0,"create_time":"2026-11-21T08:33:20Z",)"
      R"("update_time":"2026-11-21T08:33:20Z","gid":"g1","url":"http://h/a","bin_data":"eyJ4IjoxfQ==",)"
      R"("branch_id":"01","op":"action","status":"succeed","finish_time":"2026-11-21T08:33:20.25Z"}],)"
      R"("transaction":{"id":0,"create_time":"2026-11-21T08:33:20Z","update_time":"2026-11-21T08:33:20.25Z",)"
      R"("gid":"g1","trans_type":"saga","status":"succeed","protocol":"http",)"
      R"("finish_time":"2026-11-21T08:33:20.25Z","options":"{\"concurrent\":false}",)"
      R"("next_cron_interval":10,"next_cron_time":"2026-11-21T08:33:30Z","concurrent":false}})");
}

TEST(QueryJson, AnswersNullForNothing) {
  EXPECT_EQ(QueryJson(nullptr, {}), R"({"branches":[],"transaction":null})");
}

}  // namespace
}  // namespace troth
