// The PostgreSQL store where the contract does not look: its tables, batches with a loser in them,
// rows that somebody holds, a server that is killed or read-only, and copies to it and back.

#include "store/postgres/postgres_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "store/copy.h"
#include "store/memory_store.h"
#include "store/postgres/postgres_testing.h"

namespace troth::postgres {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Transaction Msg(std::string_view gid) {
  Transaction txn;
  txn.gid = gid;
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.pages = 1;
  txn.create_time = txn.update_time = FromMicros(1'800'000'000'000'000);
  txn.next_cron_interval = 10;
  txn.next_cron_time = txn.create_time + Seconds(10);
  txn.branches = {{.branch_id = "01",
                   .url = "http://127.0.0.1/a",
                   .payload = 0,
                   .create_time = txn.create_time,
                   .update_time = txn.create_time}};
  txn.payloads = {"{}"};
  return txn;
}

// Whether `condition` comes true in time; looks again and again.
template <typename Condition>
bool Await(Condition condition) {
  const TimePoint end = SystemClock().Now() + Seconds(60);
  while (!condition()) {
    if (SystemClock().Now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// What the server process would ask of the store: encode, commit.
std::vector<SaveOutcome> Create(Store& store, const std::vector<Transaction>& transactions) {
  std::vector<SaveRecord> saves;
  for (const Transaction& txn : transactions) {
    saves.push_back(store.Encode({.txn = &txn, .expected_version = 0, .fixed_part_changed = true}));
  }
  return store.Commit(saves);
}
SaveOutcome Create(Store& store, const Transaction& txn) {
  return Create(store, std::vector<Transaction>{txn})[0];
}
std::vector<SaveOutcome> End(Store& store, std::vector<Transaction> transactions) {
  static constexpr uint32_t kRows[] = {0};
  std::vector<SaveRecord> saves;
  for (Transaction& txn : transactions) {
    ChangeStatus(txn.branches[0], BranchStatus::kSucceeded, txn.create_time);
    ChangeStatus(txn, TransStatus::kSucceeded, txn.create_time);
    ++txn.version;
    saves.push_back(store.Encode({.txn = &txn,
                                  .expected_version = txn.version - 1,
                                  .expected_status = TransStatus::kSubmitted,
                                  .branches_from = 1,
                                  .payloads_from = 1,
                                  .rows_changed = kRows}));
  }
  return store.Commit(saves);
}
SaveOutcome End(Store& store, const Transaction& txn) {
  return End(store, std::vector<Transaction>{txn})[0];
}

class PgStore : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = TestServer::Start();
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = started->release();
  }
  static void TearDownTestSuite() { delete server_; }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    options_ = server_->NewSchema();
    options_.commit_patience = Seconds(20);
    options_.lock_timeout = std::chrono::milliseconds(200);
  }

  std::unique_ptr<Store> Open() {
    auto opened = OpenPostgresStore(options_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  std::unique_ptr<sql::SqlSession> Session() {
    auto opened = OpenPostgresSession(options_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  // The server notices a little later that a connection was closed.
  std::unique_ptr<sql::SqlSession> SessionWhenFree() {
    const TimePoint end = SystemClock().Now() + Seconds(30);
    while (SystemClock().Now() < end) {
      auto opened = OpenPostgresSession(options_);
      if (opened.ok()) return *std::move(opened);
    }
    return nullptr;
  }
  void MustExecute(std::string_view sql) {
    const auto session = Session();
    ASSERT_NE(session, nullptr);
    const Status status = session->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }

  // How many PostgreSQL has seen.
  int64_t Deadlocks() {
    static const Statement kDeadlocks = {"deadlocks",
                                         "select sum(deadlocks)::bigint from pg_stat_database"};
    const auto connection = Connection::Open(server_->superuser());
    EXPECT_TRUE(connection.ok()) << connection.status();
    if (!connection.ok()) return 0;
    const auto result = (*connection)->Run({.statement = &kDeadlocks});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->Int(0, 0) : 0;
  }

  static bool SomebodyWaitsForALock() {
    static const Statement kWaiting = {"waiting",
                                       "select count(*) from pg_locks where not granted"};
    const auto connection = Connection::Open(server_->superuser());
    EXPECT_TRUE(connection.ok()) << connection.status();
    if (!connection.ok()) return false;
    const auto result = (*connection)->Run({.statement = &kWaiting});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() && result->Int(0, 0) > 0;
  }

  static TestServer* server_;
  PostgresOptions options_;
};

TestServer* PgStore::server_ = nullptr;

// --- tables --------------------------------------------------------------------------------------

TEST_F(PgStore, MakesItsSchemaAndTablesOnce) {
  options_.schema = "made \"here\"";
  ASSERT_NE(Open(), nullptr);
  ASSERT_NE(Open(), nullptr);
  const auto session = Session();
  ASSERT_NE(session, nullptr);
  const auto columns = session->FindColumns();
  ASSERT_TRUE(columns.ok()) << columns.status();
  for (const sql::Problem& problem : sql::FindProblems(sql::Dialect::kPostgres, *columns)) {
    EXPECT_EQ(problem.kind, sql::ProblemKind::kNarrow) << problem.text;
  }
}

TEST_F(PgStore, MakesItsTablesWhenManyServersStartAtOnce) {
  options_.lock_timeout = Seconds(2);  // the last one waits for three others
  std::atomic<int> opened = 0;
  std::vector<std::thread> servers;
  for (int i = 0; i < 4; ++i) servers.emplace_back([&] { opened += Open() != nullptr; });
  for (std::thread& server : servers) server.join();
  EXPECT_EQ(opened, 4);
}

TEST_F(PgStore, WaitsForAServerThatMakesTheTables) {
  const auto other = Session();
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other->Execute("begin").ok());
  ASSERT_TRUE(other->Execute("create sequence trans_global_seq").ok());
  const size_t logged = server_->Log().size();
  std::thread release([&] {
    EXPECT_TRUE(Await(
        [&] { return server_->Log().find("due to lock timeout", logged) != std::string::npos; }));
    EXPECT_TRUE(other->Execute("commit").ok());
  });
  EXPECT_NE(Open(), nullptr);
  release.join();
}

TEST_F(PgStore, NamesTheStatementsWhenTablesAreOldAndRunsThemWhenAsked) {
  ASSERT_NE(Open(), nullptr);
  MustExecute("alter table trans_global drop column result");
  MustExecute("alter table trans_branch_op alter url type varchar(128)");
  const auto refused = OpenPostgresStore(options_);
  EXPECT_EQ(refused.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(refused.status())),
              HasSubstr("ALTER TABLE trans_global ADD result"));
  EXPECT_THAT(std::string(Message(refused.status())), HasSubstr("url TYPE varchar(1024)"));
  const auto session = Session();
  ASSERT_NE(session, nullptr);
  const auto widened = sql::WidenTables(*session);
  ASSERT_TRUE(widened.ok()) << widened.status();
  EXPECT_THAT(sql::FindProblems(sql::Dialect::kPostgres, *session->FindColumns()), IsEmpty());
  EXPECT_NE(Open(), nullptr);
}

TEST_F(PgStore, NamesTheStatementsWhenTheAccountMayNotMakeTables) {
  MustExecute(
      "do $$ begin create role nobody_special login; exception when duplicate_object then end $$");
  options_.user = "nobody_special";
  const auto refused = OpenPostgresStore(options_);
  EXPECT_EQ(refused.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(refused.status())),
              HasSubstr("CREATE TABLE IF NOT EXISTS trans_global"));
}

TEST_F(PgStore, RefusesWhatAColumnCannotHoldUntilItIsWidened) {
  Transaction wide = Msg("wide");
  wide.branches[0].url = Cat("http://", std::string(2000, 'u'));
  {
    const auto store = Open();
    ASSERT_NE(store, nullptr);
    const SaveOutcome refused = Create(*store, wide);
    EXPECT_EQ(refused.result, SaveResult::kRefused);
    EXPECT_THAT(refused.error, HasSubstr("trans_branch_op.url"));
    EXPECT_THAT(refused.error, HasSubstr("troth store widen"));
  }
  const auto session = Session();
  ASSERT_NE(session, nullptr);
  ASSERT_TRUE(sql::WidenTables(*session).ok());
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(Create(*store, wide).result, SaveResult::kStored);
}

TEST_F(PgStore, IsEmptyAfterAReset) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_EQ(Create(*store, Msg("a")).result, SaveResult::kStored);
  const auto session = Session();
  ASSERT_NE(session, nullptr);
  ASSERT_TRUE(sql::ResetTables(*session).ok());
  const auto after = Open();
  ASSERT_NE(after, nullptr);
  EXPECT_TRUE(*IsEmptyStore(*after));
}

TEST_F(PgStore, KeepsNoTimeThatIsStillToCome) {
  Transaction txn = Msg("a");
  txn.create_time += std::chrono::milliseconds(700);
  txn.branches[0].create_time = txn.update_time = txn.create_time;
  txn.next_cron_time += std::chrono::milliseconds(100);
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  const auto record = store->Load("a");
  ASSERT_TRUE(record.ok() && record->has_value()) << record.status();
  const auto loaded = store->Decode(**record);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_LE((*loaded)->create_time, txn.create_time);
  EXPECT_LE((*loaded)->update_time, txn.update_time);
  EXPECT_GE((*loaded)->next_cron_time, txn.next_cron_time);  // but nothing is due too early
}

// --- batches -------------------------------------------------------------------------------------

TEST_F(PgStore, StoresAllButTheLosersOfABatch) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_EQ(Create(*store, Msg("gid50")).result, SaveResult::kStored);
  ASSERT_EQ(Create(*store, Msg("gid123")).result, SaveResult::kStored);
  std::vector<Transaction> batch;
  for (int i = 0; i < 200; ++i) batch.push_back(Msg(Cat("gid", i)));
  const std::vector<SaveOutcome> outcomes = Create(*store, batch);
  for (int i = 0; i < 200; ++i) {
    const bool loses = i == 50 || i == 123;
    EXPECT_EQ(outcomes[i].result, loses ? SaveResult::kConflict : SaveResult::kStored) << i;
  }
}

TEST_F(PgStore, LosesToAServerThatWasFaster) {
  const auto first = Open(), second = Open();
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  const Transaction txn = Msg("a");
  ASSERT_EQ(Create(*first, txn).result, SaveResult::kStored);
  EXPECT_EQ(End(*second, txn).result, SaveResult::kConflict);  // it never read the record
  const auto claimed =
      second->ClaimDue(txn.next_cron_time + Seconds(1), txn.next_cron_time + Seconds(20), 10);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_THAT(*claimed, SizeIs(1));
  EXPECT_EQ(End(*first, txn).result, SaveResult::kConflict);
}

TEST_F(PgStore, CountsWhatIsUnfinishedNowAndThen) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_EQ(Create(*store, Msg("a")).result, SaveResult::kStored);
  ASSERT_EQ(Create(*store, Msg("b")).result, SaveResult::kStored);
  ASSERT_EQ(End(*store, Msg("b")).result, SaveResult::kStored);
  const TimePoint early = Msg("a").create_time;
  ASSERT_TRUE(store->ClaimDue(early, early + Seconds(10), 10).ok());
  EXPECT_EQ(store->Unfinished(), 1U);
}

TEST_F(PgStore, StoresTheRestWhileSomebodyHoldsARow) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  const Transaction held = Msg("held");
  ASSERT_EQ(Create(*store, held).result, SaveResult::kStored);
  const auto other = Session();
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other->Execute("begin").ok());
  ASSERT_TRUE(other->Execute("select * from trans_global where gid = 'held' for update").ok());
  std::thread release([&] {
    EXPECT_TRUE(Await([] { return SomebodyWaitsForALock(); }));
    EXPECT_TRUE(other->Execute("commit").ok());
  });
  EXPECT_EQ(End(*store, held).result, SaveResult::kStored);
  release.join();
}

// Two writers take rows in opposite orders: PostgreSQL ends one of them, which tries again.
TEST_F(PgStore, SurvivesDeadlocks) {
  MustExecute("alter database postgres set deadlock_timeout = '20ms'");
  options_.lock_timeout = Seconds(5);
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  std::atomic<bool> done = false;
  std::thread rival([&] {
    const auto session = Session();
    while (session != nullptr && !done) {
      // The last rows first, against our order.
      (void)session->Execute(
          "do $$ declare r record; begin for r in select id from trans_global order by gid desc "
          "loop update trans_global set ext_data = '' where id = r.id; end loop; end $$");
    }
  });
  constexpr int kBatch = 50;
  const TimePoint end = SystemClock().Now() + Seconds(60);
  for (int round = 0; Deadlocks() == 0 && SystemClock().Now() < end; ++round) {
    std::vector<Transaction> batch;
    for (int i = 0; i < kBatch; ++i) batch.push_back(Msg(Cat("gid", i, "-", round)));
    for (const SaveOutcome& outcome : Create(*store, batch)) {
      EXPECT_EQ(outcome.result, SaveResult::kStored);
    }
    for (const SaveOutcome& outcome : End(*store, batch)) {
      EXPECT_EQ(outcome.result, SaveResult::kStored) << outcome.error;
    }
  }
  done = true;
  rival.join();
  EXPECT_GT(Deadlocks(), 0) << "there was none to survive";
}

// --- outages -------------------------------------------------------------------------------------

TEST_F(PgStore, LosesNothingAcknowledgedWhenTheServerIsKilled) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  std::atomic<bool> done = false;
  std::atomic<size_t> creations = 0;  // acknowledged
  std::map<std::string, uint64_t> acknowledged;
  std::thread writer([&] {
    for (int round = 0; !done; ++round) {
      std::vector<Transaction> batch;
      for (int i = 0; i < 50; ++i) batch.push_back(Msg(Cat("round", round, "-", i)));
      const std::vector<SaveOutcome> outcomes = Create(*store, batch);
      for (size_t i = 0; i < batch.size(); ++i) {
        if (outcomes[i].result != SaveResult::kStored) continue;
        acknowledged[batch[i].gid] = 1;
        ++creations;
        if (End(*store, batch[i]).result == SaveResult::kStored) acknowledged[batch[i].gid] = 2;
      }
    }
  });
  const auto await_more = [&] {
    const size_t before = creations;
    return Await([&] { return creations > before + 75; });
  };
  for (int kill = 0; kill < 3; ++kill) {
    EXPECT_TRUE(await_more());
    server_->Kill();
    EXPECT_TRUE(server_->Restart().ok());
  }
  EXPECT_TRUE(await_more());
  done = true;
  writer.join();
  EXPECT_THAT(acknowledged, testing::Not(IsEmpty()));
  for (const auto& [gid, version] : acknowledged) {
    const auto record = store->Load(gid);
    ASSERT_TRUE(record.ok()) << record.status();
    ASSERT_TRUE(record->has_value()) << gid << " was acknowledged and is gone";
    EXPECT_GE((*record)->version, version) << gid;
  }
}

TEST_F(PgStore, TakesNoBatchForStoredBecauseOneOfItsRowsIs) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_EQ(Create(*store, Msg("a")).result, SaveResult::kStored);
  server_->Kill();  // the next commit goes to a connection that is dead, so that it is in doubt
  std::vector<SaveOutcome> outcomes;
  std::thread commit(
      [&] { outcomes = Create(*store, std::vector<Transaction>{Msg("a"), Msg("b")}); });
  const Status restarted = server_->Restart();
  commit.join();
  ASSERT_TRUE(restarted.ok()) << restarted;
  EXPECT_NE(outcomes[0].result, SaveResult::kStored);
  EXPECT_EQ(outcomes[1].result, SaveResult::kStored);
  const auto stored = store->Load("b");
  EXPECT_TRUE(stored.ok() && stored->has_value()) << stored.status();
}

TEST_F(PgStore, HandsOutTheRestBesideARowThatIsDamaged) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_THAT(Create(*store, std::vector<Transaction>{Msg("a"), Msg("b"), Msg("c")}), SizeIs(3));
  MustExecute("update trans_global set trans_type = 'nothing', options = '{' where gid = 'b'");
  const auto readable = [&store](const std::vector<StoredRecord>& records) {
    std::string gids;
    for (const StoredRecord& record : records) {
      if (store->Decode(record).ok()) gids += record.gid;
    }
    std::ranges::sort(gids);
    return gids;
  };
  EXPECT_EQ(readable(store->List({})->records), "ac");
  const TimePoint later = Msg("a").create_time + Seconds(60);
  EXPECT_EQ(readable(*store->ClaimDue(later, later + Seconds(10), 10)), "ac");
}

TEST_F(PgStore, SaysThatNothingCanBeSavedInAReadOnlyServer) {
  options_.commit_patience = std::chrono::milliseconds(100);
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  MustExecute("alter database postgres set default_transaction_read_only = on");
  options_.connection_age_max = Duration(1);  // a connection opened now
  const auto later = OpenPostgresStore(options_);
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ((*later)->Health().code(), StatusCode::kFailedPrecondition);
  const SaveOutcome outcome = Create(**later, Msg("a"));
  EXPECT_EQ(outcome.result, SaveResult::kUnknown);
  EXPECT_THAT(outcome.error, HasSubstr("read-only"));
  const auto session = Session();
  ASSERT_NE(session, nullptr);
  ASSERT_TRUE(session->Execute("set default_transaction_read_only = off").ok());
  ASSERT_TRUE(session->Execute("alter database postgres reset default_transaction_read_only").ok());
  EXPECT_EQ(Create(**later, Msg("a")).result, SaveResult::kStored);
  EXPECT_TRUE((*later)->Health().ok());
}

TEST_F(PgStore, AsksOnceWhatTheDatabaseDoesNotSupport) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  MustExecute(
      "create sequence asked; create function refuse() returns trigger language plpgsql as $$ "
      "begin "
      "perform nextval('asked'); "  // which a rollback leaves as it is
      "raise exception 'not here' using errcode = '0A000'; end $$; "
      "create trigger refuse before insert on trans_global execute function refuse()");
  const SaveOutcome outcome = Create(*store, Msg("a"));
  EXPECT_EQ(outcome.result, SaveResult::kUnknown);
  EXPECT_THAT(outcome.error, HasSubstr("docs/stores.md"));
  MustExecute("select 1 / (nextval('asked') = 2)::int");
}

TEST_F(PgStore, GoesOnWhileItsColumnsAreWidened) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  ASSERT_EQ(Create(*store, Msg("a")).result, SaveResult::kStored);
  ASSERT_TRUE(store->Load("a").ok());
  MustExecute("alter table trans_global alter query_prepared type text");
  const auto loaded = store->Load("a");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->has_value());
  EXPECT_EQ(End(*store, Msg("a")).result, SaveResult::kStored);
}

TEST_F(PgStore, WaitsForAConnectionWhenTheServerHasNone) {
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  MustExecute(
      "do $$ begin create role few login connection limit 1; exception when "
      "duplicate_object then end $$");
  MustExecute(Cat("grant all on all tables in schema ",
                  options_.schema,
                  " to few; grant all on all sequences in schema ",
                  options_.schema,
                  " to few; grant usage on schema ",
                  options_.schema,
                  " to few"));
  options_.user = "few";
  options_.idle_connections_max = 0;
  const auto poor = Open();
  ASSERT_NE(poor, nullptr);
  auto only = SessionWhenFree();
  ASSERT_NE(only, nullptr);
  std::thread release([&] {
    EXPECT_TRUE(Await(
        [] { return server_->Log().find("too many connections for role") != std::string::npos; }));
    only.reset();
  });
  EXPECT_EQ(Create(*poor, Msg("a")).result, SaveResult::kStored);
  release.join();
}

// --- copies --------------------------------------------------------------------------------------

TEST_F(PgStore, IsCopiedToAndFrom) {
  MemoryStore source, back;
  std::vector<Transaction> transactions;
  for (int i = 0; i < 700; ++i) transactions.push_back(Msg(Cat("gid", i)));
  for (const SaveOutcome& outcome : Create(source, transactions)) {
    ASSERT_EQ(outcome.result, SaveResult::kStored);
  }
  ASSERT_TRUE(source.CreateKv({.category = "topics", .key = "t", .value = "[]"}).ok());
  const auto store = Open();
  ASSERT_NE(store, nullptr);
  const auto none = [](uint64_t) {};
  const auto there = CopyStore(source, *store, none);
  ASSERT_TRUE(there.ok()) << there.status();
  const auto again = CopyStore(*store, back, none);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->transactions, 700U);
  EXPECT_EQ(again->named_values, 1U);
  EXPECT_EQ(back.List({.limit = 1})->records[0].gid, "gid699");
}

}  // namespace
}  // namespace troth::postgres
