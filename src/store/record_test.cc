#include "store/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "base/text.h"

namespace troth {
namespace {

using testing::HasSubstr;

TimePoint At(int64_t micros) { return FromMicros(1'800'000'000'000'000 + micros); }

Branch MakeBranch(std::string_view id, BranchOp op, uint32_t payload) {
  return {.branch_id = std::string(id),
          .op = op,
          .url = Cat("http://127.0.0.1:8081/api/", id),
          .payload = payload,
          .create_time = At(0),
          .update_time = At(0),
          .finish_time = std::nullopt};
}

Transaction TwoBranchMsg() {
  Transaction txn;
  txn.gid = "MvNQzqVeTB9r2QvEGEBAnM";
  txn.type = TransType::kMsg;
  txn.protocol = Protocol::kGrpc;
  txn.options.wait_result = true;
  txn.create_time = txn.update_time = At(0);
  txn.branches = {MakeBranch("01", BranchOp::kAction, 0), MakeBranch("02", BranchOp::kAction, 1)};
  txn.payloads = {R"({"amount":30})", std::string("\0\xff", 2)};
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.pages = 1;
  txn.next_cron_interval = 10;
  txn.next_cron_time = At(10'000'000);
  return txn;
}

// Every field has a value of its own.
Transaction FullSaga() {
  Transaction txn = TwoBranchMsg();
  txn.type = TransType::kSaga;
  txn.protocol = Protocol::kJsonRpc;
  txn.options = {.wait_result = false,
                 .concurrent = true,
                 .timeout_to_fail = 1,
                 .request_timeout = 2,
                 .retry_interval = 3,
                 .retry_limit = 4,
                 .retry_count = -5,
                 .branch_headers = {{"a", "b"}, {"x", ""}}};
  txn.query_prepared = "query";
  txn.custom_data = R"({"concurrent":true})";
  txn.ext_data = "ext";
  txn.ext_headers = {{"h", "v"}};
  txn.saga_concurrent = true;
  txn.saga_orders = {{.step = 1, .after = {0}}, {.step = 2, .after = {}}};
  txn.msg_delay = 60;
  txn.workflow_name = "wf";
  txn.workflow_input = 1;
  txn.status = TransStatus::kFailed;
  txn.version = 7;
  txn.update_time = At(5'000'000);
  txn.finish_time = At(6'000'000);
  txn.rollback_time = At(7'000'000);
  txn.result = "cmVzdWx0";
  txn.rollback_reason = "no money";
  txn.retry_count = 9;
  txn.leased = true;
  txn.owner = "QpaCf6ihP9CYmpaPcXcodT";
  txn.branches[0].status = BranchStatus::kSucceeded;
  txn.branches[0].update_time = At(1'000'000);
  txn.branches[0].finish_time = At(1'000'000);
  txn.branches[1].status = BranchStatus::kFailed;
  txn.branches[1].finish_time = At(2'000'000);
  txn.branches.push_back(MakeBranch("03", BranchOp::kCompensate, kNoPayload));
  txn.attempts = {{.row = 1,
                   .outcome = BranchOutcome::kOngoing,
                   .time = At(1'500'000),
                   .latency = Seconds(1),
                   .error = "busy",
                   .next_try = At(11'500'000),
                   .held_back = true},
                  {.row = kCallbackAttempt,
                   .outcome = BranchOutcome::kFailed,
                   .time = At(2'000'000),
                   .latency = Duration(0),
                   .error = "",
                   .next_try = std::nullopt}};
  return txn;
}

SaveRecord EncodeCreation(const Transaction& txn) {
  return EncodeSave({.txn = &txn, .fixed_part_changed = true});
}

StoredRecord Stored(const SaveRecord& save) {
  return {.gid = save.gid,
          .version = save.version,
          .fixed = save.fixed,
          .pages = {save.page},
          .state = save.state};
}

TEST(Record, ReadsBackATransaction) {
  for (const Transaction& txn : {TwoBranchMsg(), FullSaga()}) {
    const auto decoded = DecodeTransaction(Stored(EncodeCreation(txn)));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(**decoded, txn);
  }
}

TEST(Record, ReadsBackATransactionWithoutBranches) {
  Transaction txn = TwoBranchMsg();
  txn.branches.clear();
  txn.payloads.clear();
  const SaveRecord save = EncodeCreation(txn);
  EXPECT_EQ(save.page, "");
  StoredRecord record = Stored(save);
  record.pages.clear();
  const auto decoded = DecodeTransaction(record);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(**decoded, txn);
}

TEST(Record, TellsTheIndexWhatItNeeds) {
  const Transaction txn = FullSaga();
  const RecordIndex index = EncodeCreation(txn).index;
  EXPECT_EQ(index.type, TransType::kSaga);
  EXPECT_EQ(index.status, TransStatus::kFailed);
  EXPECT_TRUE(index.leased);
  EXPECT_EQ(index.create_time, txn.create_time);
  EXPECT_EQ(index.update_time, txn.update_time);
  EXPECT_EQ(index.due, txn.next_cron_time);
}

TEST(Record, SavesOnlyWhatChanged) {
  Transaction txn = TwoBranchMsg();
  StoredRecord stored = Stored(EncodeCreation(txn));
  txn.version = 2;
  txn.branches[0].status = BranchStatus::kSucceeded;
  txn.branches[0].update_time = At(99);
  SaveRecord save =
      EncodeSave({.txn = &txn, .expected_version = 1, .branches_from = 2, .payloads_from = 2});
  EXPECT_EQ(save.fixed, "");
  EXPECT_EQ(save.page, "");
  EXPECT_EQ(save.expected_version, 1U);
  stored.version = 2;
  stored.state = save.state;
  const auto decoded = DecodeTransaction(stored);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(**decoded, txn);
}

TEST(Record, AppendsBranchesAsAPage) {
  Transaction txn = TwoBranchMsg();
  StoredRecord stored = Stored(EncodeCreation(txn));
  txn.version = 2;
  txn.pages = 2;
  txn.branches.push_back(MakeBranch("03", BranchOp::kConfirm, 2));
  txn.payloads.emplace_back("more");
  const SaveRecord save = EncodeSave({.txn = &txn,
                                      .expected_version = 1,
                                      .branches_from = 2,
                                      .payloads_from = 2,
                                      .page_number = 1});
  EXPECT_EQ(save.page_number, 1U);
  stored.version = 2;
  stored.pages.push_back(save.page);
  stored.state = save.state;
  const auto decoded = DecodeTransaction(stored);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(**decoded, txn);
}

TEST(Record, TakesTheDueTimeTheStoreWasToldLater) {
  const Transaction txn = TwoBranchMsg();
  StoredRecord stored = Stored(EncodeCreation(txn));
  stored.due = At(3);
  const auto decoded = DecodeTransaction(stored);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ((*decoded)->next_cron_time, At(3));
}

TEST(Record, IsCompact) {
  const SaveRecord save = EncodeCreation(TwoBranchMsg());
  EXPECT_LE(save.fixed.size(), 32U);
  EXPECT_LE(save.state.size(), 24U);
}

TEST(Record, KeepsTenThousandWaitingBranchesSmall) {
  Transaction txn = TwoBranchMsg();
  txn.branches.assign(10000, MakeBranch("01", BranchOp::kAction, 0));
  EXPECT_LE(EncodeCreation(txn).state.size(), 10100U);
}

TEST(Record, NoticesALostPage) {
  StoredRecord stored = Stored(EncodeCreation(TwoBranchMsg()));
  stored.pages.clear();
  EXPECT_EQ(DecodeTransaction(stored).status().code(), StatusCode::kDataLoss);
  stored = Stored(EncodeCreation(TwoBranchMsg()));
  stored.pages.push_back(stored.pages.front());
  EXPECT_EQ(DecodeTransaction(stored).status().code(), StatusCode::kDataLoss);
}

TEST(Record, NoticesABranchWithoutItsPayload) {
  Transaction txn = TwoBranchMsg();
  txn.payloads.pop_back();
  const auto decoded = DecodeTransaction(Stored(EncodeCreation(txn)));
  EXPECT_EQ(decoded.status().code(), StatusCode::kDataLoss);
}

TEST(Record, IsReadByOlderServersUnlessACallWasNoSuccess) {
  EXPECT_EQ(EncodeCreation(TwoBranchMsg()).state[0], 1);
  EXPECT_EQ(EncodeCreation(FullSaga()).state[0], 2);
}

TEST(Record, TellsTheIndexThatItWaitsForARetry) {
  Transaction txn = TwoBranchMsg();
  txn.status = TransStatus::kSubmitted;
  EXPECT_FALSE(EncodeCreation(txn).index.waits_for_retry);
  txn.attempts = {{.row = 0, .next_try = At(1'000'000)}};
  EXPECT_TRUE(EncodeCreation(txn).index.waits_for_retry);
}

TEST(Record, NoticesAnAttemptWithoutItsBranch) {
  Transaction txn = TwoBranchMsg();
  txn.attempts = {{.row = 2}};
  const auto decoded = DecodeTransaction(Stored(EncodeCreation(txn)));
  EXPECT_EQ(decoded.status().code(), StatusCode::kDataLoss);
}

TEST(Record, SaysWhenANewerVersionWroteIt) {
  StoredRecord stored = Stored(EncodeCreation(TwoBranchMsg()));
  stored.state[0] = 3;
  const auto decoded = DecodeTransaction(stored);
  EXPECT_EQ(decoded.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(Message(decoded.status())), HasSubstr("newer version"));
  EXPECT_THAT(std::string(Message(decoded.status())), HasSubstr(stored.gid));
}

// Every prefix, every flipped bit and many random damages: an error or a transaction whose indexes
// are in range, never a crash. Sanitizer builds see the rest.
class RecordDamage : public testing::Test {
 protected:
  void Decode(const StoredRecord& record) {
    const auto decoded = DecodeTransaction(record);
    if (!decoded.ok()) {
      EXPECT_EQ(decoded.status().code(), StatusCode::kDataLoss);
      return;
    }
    for (const Branch& branch : (*decoded)->branches)
      bytes_seen_ += (*decoded)->payload(branch).size();
  }
  // The three parts one after the other.
  static std::string& Part(StoredRecord& record, uint64_t part) {
    return part == 0 ? record.fixed : part == 1 ? record.pages.front() : record.state;
  }

  size_t bytes_seen_ = 0;
  const StoredRecord whole_ = Stored(EncodeCreation(FullSaga()));
};

TEST_F(RecordDamage, OfALostEndIsNoticed) {
  for (uint64_t part = 0; part < 3; ++part) {
    StoredRecord record = whole_;
    for (std::string& bytes = Part(record, part); !bytes.empty();) {
      bytes.pop_back();
      EXPECT_EQ(DecodeTransaction(record).status().code(), StatusCode::kDataLoss);
    }
  }
}

TEST_F(RecordDamage, OfOneBitIsSurvived) {
  for (uint64_t part = 0; part < 3; ++part) {
    StoredRecord record = whole_;
    std::string& bytes = Part(record, part);
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const char mask = static_cast<char>(1 << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      Decode(record);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    }
  }
}

TEST_F(RecordDamage, OfRandomBytesIsSurvived) {
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    StoredRecord record = whole_;
    for (uint64_t changes = 1 + random.Below(8); changes > 0; --changes) {
      std::string& bytes = Part(record, random.Below(3));
      if (bytes.empty()) continue;
      const size_t at = random.Below(bytes.size());
      switch (random.Below(4)) {
        case 0: bytes[at] = static_cast<char>(random.Next()); break;
        case 1: bytes.erase(at, random.Below(6)); break;
        case 2: bytes.insert(at, random.Below(6), static_cast<char>(random.Next())); break;
        case 3: bytes.resize(at); break;
      }
    }
    Decode(record);
  }
}

}  // namespace
}  // namespace troth
