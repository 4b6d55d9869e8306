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
  const auto row = ParseGlobalJson(kMsg);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(
      GlobalJson(*row),
      R"({"id":0,"create_time":"2026-11-21T09:26:07.429043Z","update_time":"2026-11-21T09:26:07.47855Z",)"
      R"("gid":"r-msg-mid","trans_type":"msg","status":"submitted","protocol":"http",)"
      R"("options":"{\"wait_result\":true,\"timeout_to_fail\":100,\"request_timeout\":7,\"retry_interval\":600,)"
      R"(\"branch_headers\":{\"x-a\":\"b\\u003c\\u0026\\u003e\"},\"concurrent\":false,\"retry_limit\":3}",)"
      R"("next_cron_interval":1200,"next_cron_time":"2026-11-21T09:46:07.478548Z","wait_result":true,)"
      R"("timeout_to_fail":100,"request_timeout":7,"retry_interval":600,"branch_headers":{"x-a":"b\u003c\u0026\u003e"},)"
      R"("concurrent":false,"retry_limit":3})");
}

TEST(GlobalJson, KeepsTheTriesUsed) {
  const auto row = ParseGlobalJson(
      R"({"id":0,"create_time":null,"gid":"a","status":"submitted","concurrent":false,"retry_count":2})");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->create_time, std::nullopt);
  EXPECT_EQ(ParseGlobalJson(GlobalJson(*row))->retry_count, 2);
}

TEST(GlobalJson, RefusesWhatIsNoRecord) {
  EXPECT_FALSE(ParseGlobalJson("").ok());
  EXPECT_FALSE(ParseGlobalJson(R"({"create_time":"2026-11-21 09:26:07"})").ok());
  EXPECT_FALSE(ParseGlobalJson(R"({"next_cron_interval":"10"})").ok());
}

TEST(BranchJson, WritesWhatItReadsFromDtm) {
  const std::string_view json =
      R"({"id":0,"create_time":null,"update_time":null,"gid":"r-tcc-prep","url":"http://127.0.0.1:8081/ok/X",)"
      R"("bin_data":"eyJhbW91bnQiOjMwfQ==","branch_id":"01","op":"cancel","status":"prepared"})";
  const auto row = ParseBranchJson(json);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->bin_data, R"({"amount":30})");
  EXPECT_EQ(BranchJson("r-tcc-prep", *row), json);
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
