#include "store/dtm/record_json.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace troth::dtm {
namespace {

TimePoint Utc(std::string_view text) { return *ParseTime(text); }

// As a dtm server wrote it.
constexpr std::string_view kMsg =
    R"({"id":0,"create_time":"2026-11-21T09:26:07.429043168Z","update_time":"2026-11-21T09:26:07.478550453Z",)"
    R"("gid":"r-msg-mid","trans_type":"msg","status":"submitted","protocol":"http",)"
    R"("options":"{\"wait_result\":true,\"timeout_to_fail\":100,\"request_timeout\":7,\"retry_interval\":600,)"
    R"(\"branch_headers\":{\"x-a\":\"b\\u003c\\u0026\\u003e\"},\"concurrent\":false,\"retry_limit\":3}",)"
    R"("next_cron_interval":1200,"next_cron_time":"2026-11-21T09:46:07.47854827Z","wait_result":true,)"
    R"("timeout_to_fail":100,"request_timeout":7,"retry_interval":600,"branch_headers":{"x-a":"b\u003c\u0026\u003e"},)"
    R"("concurrent":false,"retry_limit":3})";

constexpr std::string_view kBranch =
    R"({"id":0,"create_time":"2026-11-21T09:26:07.429043Z","update_time":"2026-11-21T09:26:08.5Z",)"
    R"("gid":"r-msg-mid","url":"http://127.0.0.1:8081/ok/X","bin_data":"eyJhbW91bnQiOjMwfQ==",)"
    R"("branch_id":"01","op":"cancel","status":"prepared"})";

// The transaction of a record and a branch.
Transaction Read(std::string_view global, std::string_view branch) {
  Record record;
  record.global = *ParseGlobalJson(global);
  record.branches.push_back(*ParseBranchJson(branch));
  const auto txn = DecodeRows(MakeStoredRecord(std::move(record)));
  EXPECT_TRUE(txn.ok()) << txn.status();
  return txn.ok() ? **txn : Transaction();
}

std::string GlobalJson(const Transaction& txn, std::string_view owner) {
  TextBuffer out;
  RecordJson(txn).AppendGlobal(out, owner);
  return std::string(out.view());
}

std::string BranchJson(const Transaction& txn, size_t row) {
  TextBuffer out;
  RecordJson(txn).AppendBranch(out, txn.branches[row]);
  return std::string(out.view());
}

TEST(GlobalJson, ReadsWhatDtmWrote) {
  const auto row = ParseGlobalJson(kMsg);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->gid, "r-msg-mid");
  EXPECT_EQ(row->trans_type, "msg");
  EXPECT_EQ(row->status, "submitted");
  EXPECT_EQ(row->create_time, Utc("2026-11-21T09:26:07.429043Z"));
  EXPECT_EQ(row->next_cron_interval, 1200);
  EXPECT_EQ(row->retry_count, 0);
  EXPECT_EQ(row->finish_time, std::nullopt);
}

TEST(GlobalJson, WritesTheKeysOfDtmInItsOrder) {
  EXPECT_EQ(
      GlobalJson(Read(kMsg, kBranch), ""),
      R"({"id":0,"create_time":"2026-11-21T09:26:07.429043Z","update_time":"2026-11-21T09:26:07.47855Z",)"
      R"("gid":"r-msg-mid","trans_type":"msg","status":"submitted","protocol":"http",)"
      R"("options":"{\"wait_result\":true,\"timeout_to_fail\":100,\"request_timeout\":7,\"retry_interval\":600,)"
      R"(\"branch_headers\":{\"x-a\":\"b<&>\"},\"concurrent\":false,\"retry_limit\":3}",)"
      R"("next_cron_interval":1200,"next_cron_time":"2026-11-21T09:46:07.478548Z","wait_result":true,)"
      R"("timeout_to_fail":100,"request_timeout":7,"retry_interval":600,"branch_headers":{"x-a":"b<&>"},)"
      R"("concurrent":false,"retry_limit":3})");
}

TEST(GlobalJson, WritesWhatATransactionHasAtItsEnd) {
  Transaction txn = Read(kMsg, kBranch);
  txn.options = {};
  txn.protocol = Protocol::kGrpc;
  txn.query_prepared = "h/q";
  txn.result = "\"r\"";
  txn.rollback_reason = "no";
  txn.custom_data = R"({"delay":1})";
  txn.ext_data = R"({"headers":{}})";
  txn.next_cron_interval = 0;
  txn.finish_time = txn.update_time;
  txn.rollback_time = Utc("2026-11-21T09:26:09Z");
  EXPECT_EQ(
      GlobalJson(txn, "t@2@p"),
      R"({"id":0,"create_time":"2026-11-21T09:26:07.429043Z","update_time":"2026-11-21T09:26:07.47855Z",)"
      R"("gid":"r-msg-mid","trans_type":"msg","status":"submitted","query_prepared":"h/q","protocol":"grpc",)"
      R"("finish_time":"2026-11-21T09:26:07.47855Z","rollback_time":"2026-11-21T09:26:09Z",)"
      R"("result":"\"r\"","rollback_reason":"no","options":"{\"concurrent\":false}",)"
      R"("custom_data":"{\"delay\":1}","next_cron_time":"2026-11-21T09:46:07.478548Z","owner":"t@2@p",)"
      R"("ext_data":"{\"headers\":{}}","concurrent":false})");
}

TEST(GlobalJson, TellsHowMuchFollowsTheOwner) {
  const Transaction txn = Read(kMsg, kBranch);
  TextBuffer out;
  const size_t after = RecordJson(txn).AppendGlobal(out, "t@1@w");
  EXPECT_TRUE(out.view().substr(0, out.size() - after).ends_with(R"("owner":"t@1@w")"));
}

TEST(GlobalJson, KeepsTheTriesUsed) {
  const auto row = ParseGlobalJson(
      R"({"id":0,"create_time":null,"gid":"a","status":"submitted","concurrent":false,"retry_count":2})");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->create_time, std::nullopt);
  Transaction txn = Read(kMsg, kBranch);
  txn.retry_count = *row->retry_count;
  EXPECT_EQ(ParseGlobalJson(GlobalJson(txn, ""))->retry_count, 2);
}

TEST(GlobalJson, RefusesWhatIsNoRecord) {
  EXPECT_FALSE(ParseGlobalJson("").ok());
  EXPECT_FALSE(ParseGlobalJson(R"({"create_time":"2026-11-21 09:26:07"})").ok());
  EXPECT_FALSE(ParseGlobalJson(R"({"next_cron_interval":"10"})").ok());
}

TEST(BranchJson, WritesWhatItReadsFromDtm) {
  const auto row = ParseBranchJson(kBranch);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->bin_data, R"({"amount":30})");
  EXPECT_EQ(BranchJson(Read(kMsg, kBranch), 0), kBranch);
}

TEST(BranchJson, HasOnlyWhatThereIs) {
  Transaction txn = Read(kMsg, kBranch);
  txn.branches.push_back({.branch_id = "02", .op = BranchOp::kConfirm});
  txn.branches.back().finish_time = FromMicros(1);
  EXPECT_EQ(
      BranchJson(txn, 1),
      R"({"id":0,"create_time":"1970-01-01T00:00:00Z","update_time":"1970-01-01T00:00:00Z","gid":"r-msg-mid",)"
      R"("branch_id":"02","op":"confirm","status":"prepared","finish_time":"1970-01-01T00:00:00.000001Z"})");
}

TEST(KvJson, WritesWhatItReadsFromDtm) {
  const std::string_view json =
      R"({"id":0,"create_time":"2026-11-21T09:26:08.203126Z","update_time":"2026-11-21T09:26:08.211821Z",)"
      R"("cat":"topics","k":"T1","v":"[{\"url\":\"http://127.0.0.1:8081/ok/t1\",\"remark\":\"r1\"}]","version":2})";
  const auto record = ParseKvJson(json);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->version, 2U);
  EXPECT_EQ(KvJson(*record), json);
}

}  // namespace
}  // namespace troth::dtm
