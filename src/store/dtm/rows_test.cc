#include "store/dtm/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/text.h"
#include "store/dtm/owner.h"

namespace troth::dtm {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kToken = "tok";
const TimePoint kNow = FromMicros(1'795'254'462'250'000);

Transaction Saga() {
  Transaction txn;
  txn.gid = "s1";
  txn.type = TransType::kSaga;
  txn.options.retry_limit = 3;
  txn.custom_data = R"({"concurrent":true,"orders":{"1":[0]}})";
  txn.saga_concurrent = true;
  txn.saga_orders = {{.step = 1, .after = {0}}};
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.pages = 1;
  txn.leased = true;
  txn.create_time = txn.update_time = kNow;
  txn.next_cron_interval = 10;
  txn.next_cron_time = kNow + Seconds(10);
  txn.payloads = {"first", "second"};
  for (const uint32_t step : {0U, 1U}) {
    for (const BranchOp op : {BranchOp::kCompensate, BranchOp::kAction}) {
      txn.branches.push_back({.branch_id = Cat("0", step + 1),
                              .op = op,
                              .url = Cat("http://h/", step),
                              .payload = step,
                              .create_time = kNow,
                              .update_time = kNow});
    }
  }
  return txn;
}

Transaction Tcc() {
  Transaction txn;
  txn.gid = "t1";
  txn.type = TransType::kTcc;
  txn.version = 1;
  txn.create_time = txn.update_time = kNow;
  return txn;
}

// The record as it stands after a creation.
Record Created(const Transaction& txn) {
  const SaveRecord save = EncodeRows({.txn = &txn, .fixed_part_changed = true}, kToken);
  return {.global = save.changes->global, .branches = save.changes->added};
}

Transaction MustDecode(Record record) {
  const auto txn = DecodeRows(MakeStoredRecord(std::move(record)));
  EXPECT_TRUE(txn.ok()) << txn.status();
  return txn.ok() ? **txn : Transaction();
}

std::string DecodeError(Record record) {
  const auto txn = DecodeRows(MakeStoredRecord(std::move(record)));
  EXPECT_EQ(txn.status().code(), StatusCode::kDataLoss);
  return std::string(Message(txn.status()));
}

// A row as Go dtm leaves it: no owner.
Record ByDtm(std::string_view type, std::string_view status) {
  Record record;
  record.global = {.gid = "d1",
                   .trans_type = std::string(type),
                   .status = std::string(status),
                   .protocol = "http",
                   .create_time = kNow,
                   .update_time = kNow,
                   .next_cron_interval = 10,
                   .next_cron_time = kNow + Seconds(10)};
  return record;
}

TEST(Rows, BringBackWhatWasCreated) {
  const Transaction saga = Saga();
  Transaction read = MustDecode(Created(saga));
  EXPECT_EQ(read.owner, "tok@1@w");
  read.owner.clear();
  EXPECT_EQ(read, saga);
}

TEST(Rows, KeepTheInputOfAWorkflow) {
  Transaction txn = Tcc();
  txn.type = TransType::kWorkflow;
  txn.query_prepared = "http://h/resume";
  txn.custom_data = R"({"data":"eyJhIjoxfQ==","name":"wf1"})";
  const Transaction read = MustDecode(Created(txn));
  EXPECT_EQ(read.workflow_name, "wf1");
  ASSERT_EQ(read.workflow_input, 0U);
  EXPECT_EQ(read.payloads[0], R"({"a":1})");
}

TEST(Rows, KeepTriesAndAttempts) {
  Transaction txn = Saga();
  txn.retry_count = 2;
  txn.attempts.push_back({.row = 1,
                          .outcome = BranchOutcome::kUnknown,
                          .time = kNow,
                          .latency = Duration(1500),
                          .error = "no \"route\"",
                          .next_try = kNow + Seconds(10)});
  txn.attempts.push_back(
      {.row = kCallbackAttempt, .outcome = BranchOutcome::kOngoing, .held_back = true});
  const Transaction read = MustDecode(Created(txn));
  EXPECT_EQ(read.retry_count, 2);
  EXPECT_EQ(read.attempts, txn.attempts);
}

TEST(Rows, HaveNoStateOfOursWhenThereIsNothingToTell) {
  EXPECT_EQ(Created(Saga()).global.troth_state, "");
}

TEST(Rows, OfAnUpdateAreWhatChanged) {
  Transaction txn = Saga();
  txn.version = 2;
  txn.status = TransStatus::kAborting;
  txn.rollback_reason = "no";
  ChangeStatus(txn.branches[1], BranchStatus::kSucceeded, kNow);
  const std::array<uint32_t, 1> rows = {1};
  const SaveRecord save = EncodeRows({.txn = &txn,
                                      .expected_version = 1,
                                      .expected_status = TransStatus::kSubmitted,
                                      .expected_leased = true,
                                      .branches_from = 4,
                                      .payloads_from = 2,
                                      .rows_changed = rows},
                                     kToken);
  const Changes& changes = *save.changes;
  EXPECT_FALSE(changes.creation);
  EXPECT_EQ(changes.expected_status, TransStatus::kSubmitted);
  EXPECT_EQ(changes.expected_owner, "tok@1@w");
  EXPECT_EQ(changes.global.owner, "tok@2@w");
  EXPECT_EQ(changes.global.status, "aborting");
  EXPECT_EQ(changes.global.options, "");
  EXPECT_THAT(changes.added, IsEmpty());
  EXPECT_EQ(changes.branches_before, 4U);
  EXPECT_THAT(changes.changed,
              ElementsAre(testing::AllOf(Field(&BranchChange::position, 1U),
                                         Field(&BranchChange::branch_id, "01"),
                                         Field(&BranchChange::op, BranchOp::kAction))));
  EXPECT_EQ(save.expected_version, 1U);
  EXPECT_EQ(save.version, 2U);
  EXPECT_EQ(save.index.status, TransStatus::kAborting);
}

TEST(Rows, AreSavedOverTheOwnerThatWasRead) {
  Record record = ByDtm("msg", "submitted");
  record.global.owner = "QpaCf6ihP9CYmpaPcXcodT";
  Transaction txn = MustDecode(record);
  const uint64_t read = txn.version++;
  const SaveRecord save = EncodeRows(
      {.txn = &txn, .expected_version = read, .expected_status = TransStatus::kSubmitted}, kToken);
  EXPECT_EQ(save.changes->expected_owner, "QpaCf6ihP9CYmpaPcXcodT");
}

TEST(Rows, CountBranchesWhenTheSecondPhaseBegins) {
  const auto counts = [](TransType type, TransStatus from, TransStatus to) {
    Transaction txn = Tcc();
    txn.type = type;
    txn.status = to;
    txn.version = 2;
    const Save save{.txn = &txn, .expected_version = 1, .expected_status = from};
    return EncodeRows(save, kToken).changes->counts_branches;
  };
  EXPECT_TRUE(counts(TransType::kTcc, TransStatus::kPrepared, TransStatus::kSubmitted));
  EXPECT_TRUE(counts(TransType::kXa, TransStatus::kPrepared, TransStatus::kAborting));
  EXPECT_FALSE(counts(TransType::kTcc, TransStatus::kPrepared, TransStatus::kPrepared));
  EXPECT_FALSE(counts(TransType::kTcc, TransStatus::kSubmitted, TransStatus::kSucceeded));
  EXPECT_FALSE(counts(TransType::kMsg, TransStatus::kPrepared, TransStatus::kSubmitted));
}

TEST(Rows, OfDtmAreUnderstood) {
  Record record = ByDtm("saga", "aborting");
  record.global.options = R"({"wait_result":true,"retry_interval":600,"concurrent":true})";
  record.global.custom_data = R"({"concurrent":true,"orders":{"1":[0]}})";
  record.global.rollback_reason = "url:http://h/fail return failed: FAILURE";
  for (const char* const id : {"01", "02"}) {
    for (const char* const op : {"compensate", "action"}) {
      record.branches.push_back(
          {.branch_id = id, .op = op, .status = "prepared", .url = "u", .bin_data = "{}"});
    }
  }
  record.branches[1].status = "succeed";
  record.branches[3].status = "failed";
  const Transaction txn = MustDecode(record);
  EXPECT_EQ(txn.status, TransStatus::kAborting);
  EXPECT_TRUE(txn.saga_concurrent);
  EXPECT_EQ(txn.saga_orders, (std::vector<StepOrder>{{.step = 1, .after = {0}}}));
  EXPECT_EQ(txn.branches[1].status, BranchStatus::kSucceeded);
  EXPECT_EQ(txn.branches[3].status, BranchStatus::kFailed);
  EXPECT_EQ(txn.branches[2].create_time, kNow);
  EXPECT_EQ(txn.payloads, std::vector<std::string>{"{}"});
  EXPECT_FALSE(txn.leased);
}

TEST(Rows, OfOlderVersionsAreUnderstood) {
  Record record = ByDtm("msg", "succeed");
  record.global.create_time.reset();
  record.global.next_cron_time.reset();
  record.global.protocol = "";
  record.global.options = R"({"passthrough_headers":["a"]})";
  record.global.ext_data = R"({"headers":{"k":"v"}})";
  record.branches.push_back({.branch_id = "01", .op = "action", .status = "prepared"});
  const Transaction txn = MustDecode(record);
  EXPECT_EQ(txn.create_time, kNow);
  EXPECT_EQ(txn.protocol, Protocol::kHttp);
  EXPECT_EQ(txn.ext_headers, (StringPairs{{"k", "v"}}));
  EXPECT_EQ(txn.branches[0].payload, kNoPayload);
}

TEST(Rows, ThatCannotBeUsedSayWhichColumn) {
  EXPECT_THAT(DecodeError(ByDtm("tpc", "submitted")), HasSubstr("column trans_type: 'tpc'"));
  EXPECT_THAT(DecodeError(ByDtm("msg", "")), HasSubstr("column status"));
  Record record = ByDtm("msg", "submitted");
  record.global.options = "{";
  EXPECT_THAT(DecodeError(record), HasSubstr("column options"));
  record = ByDtm("saga", "submitted");
  record.branches.push_back({.branch_id = "01", .op = "action", .status = "prepared"});
  EXPECT_THAT(DecodeError(record), HasSubstr("compensate and action"));
  record.global.trans_type = "msg";
  record.branches[0].op = "confirmed";
  EXPECT_THAT(DecodeError(record), HasSubstr("column op: 'confirmed'"));
}

TEST(CeilToSecond, NeverComesTooEarly) {
  EXPECT_EQ(CeilToSecond(FromMicros(1)), FromMicros(1'000'000));
  EXPECT_EQ(CeilToSecond(FromMicros(1'000'000)), FromMicros(1'000'000));
}

}  // namespace
}  // namespace troth::dtm
