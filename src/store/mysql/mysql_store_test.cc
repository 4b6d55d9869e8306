// The MySQL store where the contract does not look: tables that dtm made, what dtm does to a
// transaction beside it, accounts that may little, servers that take no writes.

#include "store/mysql/mysql_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/mysql/mysql_testing.h"

namespace troth::mysql {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const TimePoint kNow = FromMicros(1'800'000'000'000'000);

Transaction Prepared(std::string_view gid, TransType type = TransType::kTcc) {
  Transaction txn;
  txn.gid = gid;
  txn.type = type;
  txn.version = 1;
  txn.create_time = txn.update_time = kNow;
  txn.next_cron_interval = 10;
  txn.next_cron_time = kNow + Seconds(10);
  return txn;
}

void AddBranch(Transaction& txn, std::string_view id, BranchOp op = BranchOp::kAction) {
  txn.branches.push_back({.branch_id = std::string(id),
                          .op = op,
                          .url = "http://127.0.0.1/a",
                          .payload = static_cast<uint32_t>(txn.payloads.size()),
                          .create_time = kNow,
                          .update_time = kNow});
  txn.payloads.emplace_back("{}");
}

Transaction Msg(std::string_view gid) {
  Transaction txn = Prepared(gid, TransType::kMsg);
  txn.status = TransStatus::kSubmitted;
  AddBranch(txn, "01");
  return txn;
}

std::vector<SaveOutcome> CreateAll(Store& store, const std::vector<Transaction>& transactions) {
  std::vector<SaveRecord> saves;
  for (const Transaction& txn : transactions) {
    saves.push_back(store.Encode({.txn = &txn, .fixed_part_changed = true}));
  }
  return store.Commit(saves);
}

SaveOutcome Create(Store& store, const Transaction& txn) { return CreateAll(store, {txn}).at(0); }

// Saves `txn`, which has been changed since it was read as `stored`.
SaveOutcome Update(Store& store,
                   Transaction txn,
                   const Transaction& stored,
                   std::vector<uint32_t> rows = {}) {
  ++txn.version;
  const SaveRecord save = store.Encode({.txn = &txn,
                                        .expected_version = stored.version,
                                        .expected_status = stored.status,
                                        .expected_leased = stored.leased,
                                        .branches_from = stored.branches.size(),
                                        .payloads_from = stored.payloads.size(),
                                        .rows_changed = rows});
  return store.Commit(std::vector{save}).at(0);
}

class MysqlStore : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started =
        TestServer::Start({"--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = started->release();
  }
  static void TearDownTestSuite() { delete std::exchange(server_, nullptr); }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    options_ = server_->StoreOptions(testing::UnitTest::GetInstance()->current_test_info()->name());
    store_ = Open(options_);
    ASSERT_NE(store_, nullptr);
    auto connection = Connection::Open({.host = options_.host,
                                        .port = options_.port,
                                        .user = options_.user,
                                        .database = options_.database});
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
  }

  static std::unique_ptr<Store> Open(const MysqlOptions& options) {
    auto opened = OpenMysqlStore(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  // As somebody else.
  void Run(std::string_view sql) {
    const Status status = connection_->Execute(sql).status();
    ASSERT_TRUE(status.ok()) << sql << ": " << status;
  }
  std::string Ask(std::string_view sql) {
    const auto rows = connection_->Query(sql);
    EXPECT_TRUE(rows.ok() && !rows->empty()) << sql << ": " << rows.status();
    return rows.ok() && !rows->empty() ? rows->at(0).at(0).value_or("NULL") : "";
  }
  // What dtm's own files make.
  void MakeTablesOfDtm() {
    Run("ALTER TABLE trans_global DROP troth_state, MODIFY gid varchar(128) NOT NULL");
    Run("ALTER TABLE trans_branch_op MODIFY gid varchar(128) NOT NULL, "
        "MODIFY branch_id varchar(128) NOT NULL");
    store_ = Open(options_);
    ASSERT_NE(store_, nullptr);
  }
  Transaction MustLoad(std::string_view gid) {
    const auto loaded = store_->Load(gid);
    EXPECT_TRUE(loaded.ok() && loaded->has_value()) << gid << ": " << loaded.status();
    if (!loaded.ok() || !loaded->has_value()) return {};
    const auto txn = store_->Decode(**loaded);
    EXPECT_TRUE(txn.ok()) << txn.status();
    return txn.ok() ? **txn : Transaction();
  }

  static inline TestServer* server_ = nullptr;
  MysqlOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Connection> connection_;
};

// --- Beside dtm

TEST_F(MysqlStore, LosesToDtmThatTookTheTransaction) {
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  const Transaction stored = MustLoad("a");
  Run("UPDATE trans_global SET owner='QpaCf6ihP9CYmpaPcXcodT'");
  EXPECT_EQ(Update(*store_, stored, stored).result, SaveResult::kConflict);
  const Transaction again = MustLoad("a");
  EXPECT_GT(again.version, stored.version);
  EXPECT_EQ(Update(*store_, again, again).result, SaveResult::kStored);
}

TEST_F(MysqlStore, LosesToDtmThatChangedTheStatus) {
  ASSERT_EQ(Create(*store_, Prepared("a")).result, SaveResult::kStored);
  const Transaction stored = MustLoad("a");
  Run("UPDATE trans_global SET status='submitted'");
  Transaction aborted = stored;
  aborted.status = TransStatus::kAborting;
  EXPECT_EQ(Update(*store_, aborted, stored).result, SaveResult::kConflict);
  EXPECT_EQ(MustLoad("a").status, TransStatus::kSubmitted);
}

TEST_F(MysqlStore, SeesABranchThatDtmRegisteredBeforeTheSecondPhase) {
  ASSERT_EQ(Create(*store_, Prepared("a")).result, SaveResult::kStored);
  const Transaction stored = MustLoad("a");
  Run("INSERT INTO trans_branch_op (gid,url,branch_id,op,status) VALUES "
      "('a','u','01','cancel','prepared'),('a','u','01','confirm','prepared')");
  Transaction submitted = stored;
  submitted.status = TransStatus::kSubmitted;
  EXPECT_EQ(Update(*store_, submitted, stored).result, SaveResult::kConflict);
  EXPECT_EQ(MustLoad("a").status, TransStatus::kPrepared);
  EXPECT_EQ(MustLoad("a").branches.size(), 2U);
}

TEST_F(MysqlStore, LosesToDtmThatMarkedTheBranch) {
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  const Transaction stored = MustLoad("a");
  Run("UPDATE trans_branch_op SET status='succeed'");
  Transaction failed = stored;
  failed.status = TransStatus::kFailed;
  ChangeStatus(failed.branches[0], BranchStatus::kFailed, kNow);
  EXPECT_EQ(Update(*store_, failed, stored, {0}).result, SaveResult::kConflict);
  EXPECT_EQ(MustLoad("a").status, TransStatus::kSubmitted);
}

TEST_F(MysqlStore, WorksInTablesOfDtm) {
  ASSERT_NO_FATAL_FAILURE(MakeTablesOfDtm());
  Transaction saga = Prepared("a", TransType::kSaga);
  saga.status = TransStatus::kSubmitted;
  saga.retry_count = 2;
  AddBranch(saga, "01", BranchOp::kCompensate);
  AddBranch(saga, "01", BranchOp::kAction);
  ASSERT_EQ(Create(*store_, saga).result, SaveResult::kStored);
  const Transaction stored = MustLoad("a");
  EXPECT_EQ(stored.retry_count, 0);  // there is no column for it
  Transaction ended = stored;
  ChangeStatus(ended, TransStatus::kSucceeded, kNow);
  EXPECT_EQ(Update(*store_, ended, stored).result, SaveResult::kStored);
}

TEST_F(MysqlStore, WritesTimesInItsZone) {
  options_.utc_offset = std::chrono::minutes(8 * 60);
  store_ = Open(options_);
  ASSERT_NE(store_, nullptr);
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  EXPECT_EQ(Ask("SELECT create_time FROM trans_global"), "2027-01-15 16:00:00");
  EXPECT_EQ(MustLoad("a").create_time, kNow);
}

// --- What cannot be stored

TEST_F(MysqlStore, RefusesWhatAColumnCannotHoldAndStoresTheRest) {
  Transaction large = Msg("large");
  large.payloads[0].assign(70'000, 'x');
  const auto outcomes = CreateAll(*store_, {Msg("a"), large, Msg("b")});
  EXPECT_EQ(outcomes[0].result, SaveResult::kStored);
  EXPECT_EQ(outcomes[1].result, SaveResult::kRefused);
  EXPECT_THAT(outcomes[1].error, HasSubstr("trans_branch_op.bin_data"));
  EXPECT_THAT(outcomes[1].error, HasSubstr("troth store widen"));
  EXPECT_EQ(outcomes[2].result, SaveResult::kStored);
}

TEST_F(MysqlStore, CutsALongReason) {
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  Transaction txn = MustLoad("a");
  const Transaction stored = txn;
  for (int i = 0; i < 1025; ++i) txn.rollback_reason += "\xc3\xa4";
  ASSERT_EQ(Update(*store_, txn, stored).result, SaveResult::kStored);
  EXPECT_EQ(MustLoad("a").rollback_reason, txn.rollback_reason.substr(0, 2048));
}

TEST_F(MysqlStore, RefusesAGidThatTablesOfDtmTakeForAnother) {
  ASSERT_NO_FATAL_FAILURE(MakeTablesOfDtm());
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  const SaveOutcome outcome = Create(*store_, Msg("A"));
  EXPECT_EQ(outcome.result, SaveResult::kRefused);
  EXPECT_THAT(outcome.error, HasSubstr("utf8mb4_bin"));
  EXPECT_FALSE(store_->Load("A")->has_value());
}

TEST_F(MysqlStore, RefusesAGidOfWhichBranchesAreLeftOver) {
  Run("INSERT INTO trans_branch_op (gid,url,branch_id,op,status) VALUES "
      "('a','u','01','action','prepared')");
  const SaveOutcome outcome = Create(*store_, Msg("a"));
  EXPECT_EQ(outcome.result, SaveResult::kRefused);
  EXPECT_THAT(outcome.error, HasSubstr("left over"));
}

TEST_F(MysqlStore, StoresAllButTheLosersOfABatch) {
  ASSERT_EQ(Create(*store_, Msg("gid7")).result, SaveResult::kStored);
  std::vector<Transaction> transactions;
  for (int i = 0; i < 20; ++i) transactions.push_back(Msg(Cat("gid", i)));
  const auto outcomes = CreateAll(*store_, transactions);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].result, i == 7 ? SaveResult::kConflict : SaveResult::kStored) << i;
  }
}

// --- Servers and accounts

TEST_F(MysqlStore, NamesTheStatementsWhenTheAccountMayNotMakeTables) {
  Run("CREATE USER IF NOT EXISTS guest@'127.0.0.1'");
  MysqlOptions guest = options_;
  guest.user = "guest";
  guest.database = "elsewhere";
  const auto opened = OpenMysqlStore(guest);
  EXPECT_EQ(opened.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(opened.status())), HasSubstr("CREATE DATABASE"));
}

TEST_F(MysqlStore, SaysWhatIsWrongWithTheAccount) {
  Run("CREATE USER IF NOT EXISTS locked@'127.0.0.1' IDENTIFIED BY 'right'");
  options_.user = "locked";
  for (const std::string_view password : {"", "mistaken"}) {
    options_.password = password;
    const Status refused = OpenMysqlStore(options_).status();
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << refused;
    EXPECT_THAT(
        std::string(Message(refused)),
        AllOf(HasSubstr("correct Store.User and Store.Password"), Not(HasSubstr("mistaken"))));
  }
}

TEST_F(MysqlStore, SaysThatTheServerAsksForTls) {
  Run("SET GLOBAL require_secure_transport=ON");
  const Status refused = OpenMysqlStore(options_).status();
  Run("SET GLOBAL require_secure_transport=OFF");
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(Message(refused)), HasSubstr("set Store.TlsMode"));
}

TEST_F(MysqlStore, NamesTheStatementsWhenTablesAreOld) {
  Run("ALTER TABLE trans_global DROP result, MODIFY query_prepared varchar(128) NOT NULL");
  const auto opened = OpenMysqlStore(options_);
  EXPECT_EQ(opened.status().code(), StatusCode::kFailedPrecondition);
  const std::string text(Message(opened.status()));
  EXPECT_THAT(text, HasSubstr("ALTER TABLE trans_global ADD result"));
  EXPECT_THAT(text, HasSubstr("ALTER TABLE trans_global MODIFY query_prepared"));
}

TEST_F(MysqlStore, SaysThatNothingCanBeSavedInAReadOnlyServer) {
  Run("CREATE USER IF NOT EXISTS writer@'127.0.0.1'");
  Run(Cat("GRANT ALL ON ", options_.database, ".* TO writer@'127.0.0.1'"));
  options_.user = "writer";
  store_ = Open(options_);
  ASSERT_NE(store_, nullptr);
  Run("SET GLOBAL read_only=ON");
  const SaveOutcome outcome = Create(*store_, Msg("a"));
  Run("SET GLOBAL read_only=OFF");
  EXPECT_EQ(outcome.result, SaveResult::kUnknown);
  EXPECT_THAT(outcome.error, HasSubstr("takes no writes"));
  EXPECT_FALSE(store_->Health().ok());
  EXPECT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  EXPECT_TRUE(store_->Health().ok());
}

TEST_F(MysqlStore, GoesOnWhenItsConnectionsWereClosed) {
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  const auto ids = connection_->Query(
      Cat("SELECT id FROM information_schema.processlist WHERE id<>connection_id() AND db='",
          options_.database,
          "'"));
  ASSERT_TRUE(ids.ok() && !ids->empty());
  for (const Row& id : *ids) {
    const Status killed = connection_->Execute(Cat("KILL ", *id[0])).status();
    // One that was closed before may still have been in the list.
    if (!killed.ok()) EXPECT_THAT(std::string(Message(killed)), HasSubstr("Unknown thread id"));
  }
  EXPECT_EQ(Create(*store_, Msg("b")).result, SaveResult::kStored);
  EXPECT_EQ(MustLoad("b").gid, "b");
}

TEST_F(MysqlStore, AnswersAgainAfterTheServerWasKilled) {
  ASSERT_EQ(Create(*store_, Msg("a")).result, SaveResult::kStored);
  server_->Kill();
  options_.patience = Duration(0);
  EXPECT_EQ(OpenMysqlStore(options_).status().code(), StatusCode::kUnavailable);
  const Status restarted = server_->Restart();
  ASSERT_TRUE(restarted.ok()) << restarted;
  EXPECT_EQ(Create(*store_, Msg("b")).result, SaveResult::kStored);
}

TEST_F(MysqlStore, HandsOutTheRestBesideARowThatIsDamaged) {
  for (const std::string_view gid : {"a", "b", "c"}) {
    ASSERT_EQ(Create(*store_, Msg(gid)).result, SaveResult::kStored);
  }
  Run("UPDATE trans_global SET trans_type='nothing', options='{' WHERE gid='b'");
  const auto readable = [this](const std::vector<StoredRecord>& records) {
    std::string gids;
    for (const StoredRecord& record : records) {
      if (store_->Decode(record).ok()) gids += record.gid;
    }
    std::ranges::sort(gids);
    return gids;
  };
  EXPECT_EQ(readable(store_->List({})->records), "ac");
  const TimePoint now = SystemClock().Now();
  Run("UPDATE trans_global SET next_cron_time='2020-01-01 00:00:00'");
  EXPECT_EQ(readable(*store_->ClaimDue(now, now + Seconds(10), 10)), "ac");
}

TEST_F(MysqlStore, ClaimsWhatDtmLeft) {
  Run("INSERT INTO trans_global (gid,trans_type,status,query_prepared,protocol,create_time,"
      "update_time,next_cron_interval,next_cron_time) VALUES ('d','msg','submitted','','http',"
      "'2026-11-21 09:26:44','2026-11-21 09:26:44',10,'2026-11-21 09:26:54')");
  const auto claimed = store_->ClaimDue(kNow, kNow + Seconds(10), 10);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  ASSERT_EQ(claimed->size(), 1U);
  const Transaction stored = **store_->Decode(claimed->front());
  Transaction ended = stored;
  ChangeStatus(ended, TransStatus::kSucceeded, kNow);
  EXPECT_EQ(Update(*store_, ended, stored).result, SaveResult::kStored);
  EXPECT_EQ(Ask("SELECT status FROM trans_global"), "succeed");
}

// The statements that changed or read a transaction's tables since the log was begun: how many rows
// each looked at, at the most.
class LoggedStatements {
 public:
  explicit LoggedStatements(Connection& connection) : connection_(connection) {
    Run("SET GLOBAL log_output = 'TABLE'");
    Run("TRUNCATE mysql.slow_log");
    Run("SET GLOBAL long_query_time = 0");  // of connections opened from now on
    Run("SET GLOBAL slow_query_log = 1");
  }
  ~LoggedStatements() {
    Run("SET GLOBAL slow_query_log = 0");
    Run("SET GLOBAL long_query_time = 10");
  }

  // "rows: statement" of the one that looked at most.
  std::pair<int64_t, std::string> Worst() {
    auto rows = connection_.Query(
        "SELECT rows_examined, sql_text FROM mysql.slow_log WHERE sql_text LIKE '%trans_%' "
        "AND sql_text NOT LIKE '%slow_log%' AND sql_text NOT LIKE '%information_schema%' ORDER BY "
        "rows_examined DESC LIMIT 1");
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok() || rows->empty()) return {-1, "no statement was logged"};
    return {ParseInt((*rows)[0][0].value_or("")).value_or(-1), (*rows)[0][1].value_or("")};
  }

 private:
  void Run(std::string_view sql) {
    const Status status = connection_.Execute(sql).status();
    EXPECT_TRUE(status.ok()) << sql << ": " << status;
  }

  Connection& connection_;
};

// A table has everything that ended in a week; what one save costs must not depend on that.
TEST_F(MysqlStore, LooksAtNoMoreRowsThanItChanges) {
  constexpr int kOthers = 400;
  std::vector<Transaction> others;
  for (int i = 0; i < kOthers; ++i) {
    others.push_back(Msg(Cat("other", i)));
    AddBranch(others.back(), "02");
    others.back().status = TransStatus::kSucceeded;
  }
  for (const SaveOutcome& outcome : CreateAll(*store_, others)) {
    ASSERT_EQ(outcome.result, SaveResult::kStored) << outcome.error;
  }
  Ask("ANALYZE TABLE trans_global, trans_branch_op");  // which answers with rows
  LoggedStatements logged(*connection_);
  store_ = Open(options_);  // with connections that are logged
  ASSERT_NE(store_, nullptr);

  Transaction alone = Msg("alone");
  ASSERT_EQ(Create(*store_, alone).result, SaveResult::kStored);
  const Transaction stored = alone;
  alone.branches[0].status = BranchStatus::kSucceeded;
  alone.branches[0].finish_time = kNow;
  ASSERT_EQ(Update(*store_, alone, stored, {0}).result, SaveResult::kStored);
  MustLoad("alone");
  EXPECT_TRUE(store_->ClaimDue(kNow, kNow + Seconds(10), 10).ok());

  const auto [rows, statement] = logged.Worst();
  EXPECT_GE(rows, 0) << statement;
  EXPECT_LT(rows, 20) << statement;
}

}  // namespace
}  // namespace troth::mysql
