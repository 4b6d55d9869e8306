// What the contract does not say: dtm's keys as they are in Redis, dtm beside us, and a Redis that
// refuses.

#include "store/redis/redis_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/text.h"
#include "engine/action.h"
#include "store/redis/command.h"
#include "store/redis/redis_testing.h"

namespace troth {
namespace {

using redis::RedisServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// Of a store that is refused: enough for one whole attempt on a busy machine.
constexpr auto kPatience = std::chrono::milliseconds(1000);
// For replicas that are missing.
constexpr auto kShort = std::chrono::milliseconds(200);

TimePoint Now() { return SystemClock().Now(); }

std::unique_ptr<Store> Open(const RedisServer& server, RedisOptions options = {}) {
  options.servers = {server.endpoint()};
  auto store = OpenRedisStore(std::move(options));
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

Status OpenError(RedisOptions options) { return OpenRedisStore(std::move(options)).status(); }

// A msg with two branches, due in a minute.
Transaction Msg(std::string_view gid) {
  Transaction txn{.gid = std::string(gid)};
  txn.status = TransStatus::kSubmitted;
  txn.version = 1;
  txn.create_time = txn.update_time = FromMicros(1'795'254'462'250'000);
  txn.next_cron_interval = 10;
  txn.next_cron_time = Now() + Seconds(60);
  txn.payloads = {"{\"amount\":30}"};
  for (const std::string_view id : {"01", "02"}) {
    txn.branches.push_back({.branch_id = std::string(id),
                            .url = "http://h/<a>&b",
                            .payload = 0,
                            .create_time = txn.create_time,
                            .update_time = txn.create_time});
  }
  return txn;
}

SaveRecord CreationOf(const Store& store, const Transaction& txn) {
  return store.Encode({.txn = &txn, .fixed_part_changed = true});
}

SaveOutcome Create(Store& store, const Transaction& txn) {
  return store.Commit(std::vector{CreationOf(store, txn)})[0];
}

// The save of `txn` after the one before; its branches `rows` leave prepared.
SaveRecord ChangeOf(const Store& store,
                    Transaction& txn,
                    TransStatus status,
                    const std::vector<uint32_t>& rows = {}) {
  Save save{.expected_version = txn.version,
            .expected_status = txn.status,
            .expected_leased = txn.leased,
            .branches_from = txn.branches.size(),
            .payloads_from = txn.payloads.size()};
  const TimePoint now = txn.update_time + Seconds(1);
  if (status != txn.status) ChangeStatus(txn, status, now);
  for (const uint32_t row : rows) ChangeStatus(txn.branches[row], BranchStatus::kSucceeded, now);
  ++txn.version;
  save.txn = &txn;
  save.rows_changed = rows;
  return store.Encode(save);
}

SaveOutcome Change(Store& store,
                   Transaction& txn,
                   TransStatus status,
                   const std::vector<uint32_t>& rows = {}) {
  return store.Commit(std::vector{ChangeOf(store, txn, status, rows)})[0];
}

std::vector<SaveResult> Results(Store& store, const std::vector<SaveRecord>& saves) {
  std::vector<SaveResult> results;
  for (const SaveOutcome& outcome : store.Commit(saves)) results.push_back(outcome.result);
  return results;
}

Transaction MustLoad(Store& store, std::string_view gid) {
  const auto record = store.Load(gid);
  EXPECT_TRUE(record.ok()) << record.status();
  if (!record.ok() || !record->has_value()) {
    ADD_FAILURE() << gid << " is missing";
    return {};
  }
  const auto txn = store.Decode(**record);
  EXPECT_TRUE(txn.ok()) << txn.status();
  return txn.ok() ? **txn : Transaction();
}

std::vector<std::string> Claim(Store& store, TimePoint now) {
  std::vector<std::string> gids;
  const auto claimed = store.ClaimDue(now, now + Seconds(10), 100);
  EXPECT_TRUE(claimed.ok()) << claimed.status();
  if (!claimed.ok()) return gids;
  for (const StoredRecord& record : *claimed) gids.push_back(record.gid);
  return gids;
}

// Scripts called so far.
int64_t ScriptCalls(const RedisServer& server) {
  const std::string stats = server.Ask("INFO commandstats");
  const std::string name = "cmdstat_evalsha:calls=";
  const size_t at = stats.find(name);
  return at == stats.npos ? 0 : std::stoll(stats.substr(at + name.size()));
}

bool HasReplica(const RedisServer& master) {
  return master.Ask("INFO replication").find("state=online") != std::string::npos;
}

// A command whose last word may hold spaces.
void Put(const RedisServer& server, std::string_view words, std::string_view text) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const auto connection = redis::Connection::Open(server.endpoint(), {}, deadline);
  ASSERT_TRUE(connection.ok()) << connection.status();
  std::vector<std::string_view> arguments = Split(words, ' ');
  arguments.push_back(text);
  std::string command;
  redis::AppendCommand(command, arguments);
  ASSERT_TRUE((*connection)->Ask(command, deadline).ok());
}

// --- What dtm finds

TEST(RedisKeys, OfACreationAreThoseOfDtm) {
  const RedisServer server;
  const auto store = Open(server);
  const Transaction txn = Msg("m1");
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  EXPECT_EQ(server.Ask("GET {a}_s_m1"), "submitted");
  EXPECT_THAT(
      server.Ask("GET {a}_g_m1"),
      testing::StartsWith(
          R"({"id":0,"create_time":"2026-11-21T09:47:42.25Z","update_time":"2026-11-21T09:47:42.25Z",)"
          R"("gid":"m1","trans_type":"msg","status":"submitted","protocol":"http",)"));
  EXPECT_EQ(server.Ask("LRANGE {a}_b_m1 1 1"),
            R"({"id":0,"create_time":"2026-11-21T09:47:42.25Z",)"
            R"("update_time":"2026-11-21T09:47:42.25Z","gid":"m1","url":"http://h/<a>&b",)"
            R"("bin_data":"eyJhbW91bnQiOjMwfQ==","branch_id":"02","op":"action",)"
            R"("status":"prepared"})"
            "\n");
  const double score = std::stod(server.Ask("ZSCORE {a}_u m1"));
  EXPECT_NEAR(score, static_cast<double>(ToMicros(txn.next_cron_time)) / 1e6, 0.002);
  for (const std::string_view part : {"g", "b", "s"}) {
    EXPECT_EQ(server.Ask(Cat("TTL {a}_", part, "_m1")), "-1") << part;
  }
}

TEST(RedisKeys, OfTheFinishedGoAwayByThemselves) {
  const RedisServer server;
  const auto store = Open(server, {.keep_finished = Seconds(100)});
  Transaction txn = Msg("m1");
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  ASSERT_EQ(Change(*store, txn, TransStatus::kSucceeded, {0, 1}).result, SaveResult::kStored);
  EXPECT_EQ(server.Ask("GET {a}_s_m1"), "succeed");
  EXPECT_EQ(server.Ask("ZSCORE {a}_u m1"), "(nil)");
  EXPECT_THAT(server.Ask("LINDEX {a}_b_m1 0"),
              HasSubstr(R"("update_time":"2026-11-21T09:47:43.25Z")"));
  EXPECT_THAT(
      server.Ask("LINDEX {a}_b_m1 0"),
      HasSubstr(R"("op":"action","status":"succeed","finish_time":"2026-11-21T09:47:43.25Z"})"));
  for (const std::string_view part : {"g", "b", "s"}) {
    const int64_t left = ParseInt(server.Ask(Cat("TTL {a}_", part, "_m1"))).value_or(0);
    EXPECT_GT(left, 90) << part;
    EXPECT_LE(left, 100) << part;
  }
}

TEST(RedisKeys, OfTheFinishedStayWhenNothingElseIsSaid) {
  const RedisServer server;
  const auto store = Open(server, {.keep_finished = Duration(0)});
  Transaction txn = Msg("m1");
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  ASSERT_EQ(Change(*store, txn, TransStatus::kFailed).result, SaveResult::kStored);
  EXPECT_EQ(server.Ask("TTL {a}_g_m1"), "-1");
}

TEST(RedisKeys, KeepFailedCallsBesideTheRecord) {
  const RedisServer server;
  const auto store = Open(server, {.keep_calls = Seconds(100)});
  Transaction txn = Msg("m1");
  txn.attempts = {{.row = 0, .time = txn.create_time, .error = "connection refused"}};
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  EXPECT_EQ(MustLoad(*store, "m1").attempts, txn.attempts);
  EXPECT_GT(ParseInt(server.Ask("TTL {a}_t_m1")).value_or(0), 90);
}

// --- What dtm left

// A saga that dtm was working on (protocol/stores.md 10), with the time to live that dtm gives it.
void LeaveSaga(const RedisServer& server, std::string_view gid) {
  Put(server, Cat("SET {a}_s_", gid, " submitted EX"), "1000");
  Put(server,
      Cat("SET {a}_g_", gid),
      Cat(R"({"id":0,"create_time":"2026-11-21T09:26:07.501222633Z",)",
          R"("update_time":"2026-11-21T09:26:07.594769153Z","gid":")",
          gid,
          R"(","trans_type":"saga","status":"submitted","protocol":"http",)",
          R"("options":"{\"wait_result\":true,\"retry_interval\":600,\"concurrent\":false}",)",
          R"("next_cron_interval":1200,"next_cron_time":"2026-11-21T09:46:07.59476711Z",)",
          R"("wait_result":true,"retry_interval":600,"concurrent":false})"));
  Put(server, Cat("EXPIRE {a}_g_", gid), "1000");
  for (
      const std::string_view row :
      {R"("branch_id":"01","op":"compensate","status":"prepared"})",
       R"("branch_id":"01","op":"action","status":"succeed","finish_time":"2026-11-21T09:26:08Z"})",
       R"("branch_id":"02","op":"compensate","status":"prepared"})",
       R"("branch_id":"02","op":"action","status":"prepared"})"}) {
    Put(server,
        Cat("RPUSH {a}_b_", gid),
        Cat(R"({"id":0,"create_time":null,"update_time":null,"gid":")", gid, R"(",)", row));
  }
  Put(server, Cat("EXPIRE {a}_b_", gid), "1000");
  Put(server, "ZADD {a}_u 1795254367", gid);
}

TEST(RedisTakeOver, GoesOnWithWhatDtmLeft) {
  const RedisServer server;
  LeaveSaga(server, "s1");
  const auto store = Open(server);
  EXPECT_THAT(Claim(*store, Now()), ElementsAre("s1"));
  EXPECT_THAT(Claim(*store, Now()), ElementsAre());
  for (const std::string_view part : {"g", "b", "s"}) {
    EXPECT_EQ(server.Ask(Cat("TTL {a}_", part, "_s1")), "-1") << part;
  }
  Transaction saga = MustLoad(*store, "s1");
  EXPECT_EQ(saga.options.retry_interval, 600);
  ASSERT_EQ(saga.branches.size(), 4U);
  EXPECT_EQ(saga.branches[1].status, BranchStatus::kSucceeded);

  EXPECT_EQ(Change(*store, saga, TransStatus::kSucceeded, {3}).result, SaveResult::kStored);
  EXPECT_EQ(server.Ask("GET {a}_s_s1"), "succeed");
  EXPECT_THAT(server.Ask("LINDEX {a}_b_s1 3"), HasSubstr(R"("status":"succeed","finish_time")"));
  EXPECT_THAT(server.Ask("LINDEX {a}_b_s1 2"), HasSubstr(R"("status":"prepared")"));
}

TEST(RedisTakeOver, KeepsWhatIsNotDueYetFromExpiring) {
  const RedisServer server;
  LeaveSaga(server, "s1");
  Put(server, "ZADD {a}_u 4000000000", "s1");
  const auto store = Open(server);
  EXPECT_THAT(Claim(*store, Now()), ElementsAre());
  EXPECT_EQ(server.Ask("TTL {a}_g_s1"), "-1");
  EXPECT_EQ(server.Ask("TTL {a}_b_s1"), "-1");
}

TEST(RedisTakeOver, RemovesMembersWhoseRecordIsGone) {
  const RedisServer server;
  for (int i = 0; i < 300; ++i) Put(server, "ZADD {a}_u 1795254367", Cat("gone", i));
  Put(server, "ZADD {a}_u 4000000000", "gone-later");
  LeaveSaga(server, "s1");
  const auto store = Open(server);
  std::vector<std::string> claimed;
  while (claimed.empty()) claimed = Claim(*store, Now());
  EXPECT_THAT(claimed, ElementsAre("s1"));
  TimePoint now = Now();
  EXPECT_TRUE(Eventually([&] {
    Claim(*store, now += Seconds(10));
    return server.Ask("ZCARD {a}_u") == "1";
  }));
}

// --- dtm beside us

TEST(RedisBesideDtm, ASaveConflictsWithWhatDtmChanged) {
  const RedisServer server;
  const auto store = Open(server);
  LeaveSaga(server, "status");
  LeaveSaga(server, "branch");
  LeaveSaga(server, "appended");
  Transaction status = MustLoad(*store, "status"), branch = MustLoad(*store, "branch"),
              appended = MustLoad(*store, "appended");
  Put(server, "SET {a}_s_status", "aborting");
  std::string row = server.Ask("LINDEX {a}_b_branch 3");
  row.replace(row.find("prepared"), 8, "failed");
  Put(server, "LSET {a}_b_branch 3", row);
  Put(server, "RPUSH {a}_b_appended", row);

  EXPECT_EQ(Change(*store, status, TransStatus::kSucceeded, {3}).result, SaveResult::kConflict);
  EXPECT_EQ(Change(*store, branch, TransStatus::kSucceeded, {3}).result, SaveResult::kConflict);
  EXPECT_EQ(Change(*store, appended, TransStatus::kSucceeded, {3}).result, SaveResult::kConflict);
  EXPECT_EQ(server.Ask("GET {a}_s_branch"), "submitted");
  EXPECT_THAT(server.Ask("GET {a}_g_branch"), HasSubstr(R"("status":"submitted")"));
}

TEST(RedisBesideDtm, ASaveAppliesWhenTheStatusKeyHasExpired) {
  const RedisServer server;
  const auto store = Open(server);
  LeaveSaga(server, "s1");
  server.Ask("DEL {a}_s_s1");
  Transaction saga = MustLoad(*store, "s1");
  EXPECT_EQ(Change(*store, saga, TransStatus::kSucceeded, {3}).result, SaveResult::kStored);
  EXPECT_EQ(server.Ask("GET {a}_s_s1"), "succeed");
}

TEST(RedisClaims, TellWhoeverHasACopy) {
  const RedisServer server;
  const auto store = Open(server), other = Open(server);
  Transaction copy = Msg("m1");
  ASSERT_EQ(Create(*store, copy).result, SaveResult::kStored);
  const TimePoint now = copy.next_cron_time + Seconds(1);
  EXPECT_THAT(Claim(*other, now), ElementsAre("m1"));
  EXPECT_EQ(Change(*store, copy, TransStatus::kSubmitted).result, SaveResult::kConflict);
  Transaction claimed = MustLoad(*store, "m1");
  EXPECT_EQ(claimed.version, 1U);
  EXPECT_TRUE(claimed.leased);
  EXPECT_EQ(claimed.next_cron_time, now + Seconds(10));
  EXPECT_EQ(Change(*other, claimed, TransStatus::kSucceeded, {0, 1}).result, SaveResult::kStored);
}

// --- Many saves with one call

// As dtm's LockGlobalSaveBranches and ChangeGlobalStatus do it.
void WriteRowAsDtm(const RedisServer& server, std::string_view gid, int at, std::string_view row) {
  Put(server, Cat("LSET {a}_b_", gid, " ", at), row);
  Put(server, Cat("EXPIRE {a}_b_", gid), "604800");
}
// The owner stays in the record.
void AbortAsDtm(const RedisServer& server, std::string_view gid) {
  std::string record = server.Ask(Cat("GET {a}_g_", gid));
  record.replace(record.find("submitted"), 9, "aborting");
  Put(server, Cat("SET {a}_g_", gid), record);
  Put(server, Cat("SET {a}_s_", gid), "aborting");
}

TEST(RedisBatches, CreateAllButThoseThatExist) {
  const RedisServer server;
  const auto store = Open(server);
  ASSERT_EQ(Create(*store, Msg("known")).result, SaveResult::kStored);
  // What is left of one that has expired, as dtm leaves it.
  server.Ask("SET {a}_s_status succeed");
  server.Ask("RPUSH {a}_b_rows old");
  std::vector<SaveRecord> saves;
  for (const std::string_view gid : {"new", "known", "status", "rows"}) {
    saves.push_back(CreationOf(*store, Msg(gid)));
  }
  EXPECT_THAT(
      Results(*store, saves),
      ElementsAre(
          SaveResult::kStored, SaveResult::kConflict, SaveResult::kStored, SaveResult::kStored));
  for (const std::string_view gid : {"new", "status", "rows"}) {
    EXPECT_EQ(MustLoad(*store, gid).branches.size(), 2U) << gid;
    EXPECT_EQ(server.Ask(Cat("GET {a}_s_", gid)), "submitted");
    EXPECT_NE(server.Ask(Cat("ZSCORE {a}_u ", gid)), "(nil)");
  }
}

TEST(RedisBatches, CreateInPlaceOfWhatIsLeft) {
  const RedisServer server;
  const auto store = Open(server);
  server.Ask("RPUSH {a}_b_rows old");
  server.Ask("EXPIRE {a}_b_rows 1000");
  Put(server, "SET {a}_b_type", "no list");
  std::vector<SaveRecord> saves;
  for (const std::string_view gid : {"rows", "type", "new"}) {
    saves.push_back(CreationOf(*store, Msg(gid)));
  }
  EXPECT_THAT(Results(*store, saves),
              ElementsAre(SaveResult::kStored, SaveResult::kUnknown, SaveResult::kStored));
  for (const std::string_view gid : {"rows", "new"}) {
    EXPECT_EQ(MustLoad(*store, gid).branches.size(), 2U) << gid;
    EXPECT_EQ(server.Ask(Cat("TTL {a}_b_", gid)), "-1");
    EXPECT_NE(server.Ask(Cat("ZSCORE {a}_u ", gid)), "(nil)");
  }
  EXPECT_EQ(server.Ask("EXISTS {a}_g_type {a}_s_type"), "0");
  EXPECT_EQ(server.Ask("ZSCORE {a}_u type"), "(nil)");
}

TEST(RedisBatches, ChangeAllButThoseThatDtmChanged) {
  const RedisServer server;
  const auto store = Open(server);
  const std::vector<std::string_view> gids = {
      "ends", "waits", "status", "branch", "longer", "type", "last"};
  std::vector<Transaction> all;
  for (const std::string_view gid : gids) {
    all.push_back(Msg(gid));
    ASSERT_EQ(Create(*store, all.back()).result, SaveResult::kStored);
  }
  AbortAsDtm(server, "status");
  std::string row = server.Ask("LINDEX {a}_b_branch 1");
  row.replace(row.find("prepared"), 8, "failed");
  WriteRowAsDtm(server, "branch", 1, row);
  Put(server, "RPUSH {a}_b_longer", row);
  server.Ask("DEL {a}_b_type");
  Put(server, "SET {a}_b_type", "no list");

  std::vector<SaveRecord> saves;
  for (Transaction& txn : all) {
    const bool waits = txn.gid == "waits";
    saves.push_back(waits ? ChangeOf(*store, txn, TransStatus::kSubmitted, {1})
                          : ChangeOf(*store, txn, TransStatus::kSucceeded, {0, 1}));
  }
  EXPECT_THAT(Results(*store, saves),
              ElementsAre(SaveResult::kStored,
                          SaveResult::kStored,
                          SaveResult::kConflict,
                          SaveResult::kConflict,
                          SaveResult::kConflict,
                          SaveResult::kUnknown,
                          SaveResult::kStored));
  for (const std::string_view gid : {"ends", "last"}) {
    EXPECT_EQ(MustLoad(*store, gid).status, TransStatus::kSucceeded);
    EXPECT_EQ(server.Ask(Cat("ZSCORE {a}_u ", gid)), "(nil)");
    for (const std::string_view part : {"g", "b", "s"}) {
      const int64_t left = ParseInt(server.Ask(Cat("TTL {a}_", part, "_", gid))).value_or(0);
      EXPECT_GT(left, 86'000);
      EXPECT_LE(left, 86'400);
    }
  }
  const Transaction waits = MustLoad(*store, "waits");
  EXPECT_EQ(waits.branches[0].status, BranchStatus::kPrepared);
  EXPECT_EQ(waits.branches[1].status, BranchStatus::kSucceeded);
  EXPECT_EQ(server.Ask("TTL {a}_b_waits"), "-1");
  EXPECT_EQ(server.Ask("GET {a}_s_status"), "aborting");
  for (const std::string_view gid : {"branch", "longer", "type"}) {
    EXPECT_EQ(server.Ask(Cat("GET {a}_s_", gid)), "submitted");
  }
}

TEST(RedisBatches, KeepWhatOthersWroteIntoARow) {
  const RedisServer server;
  const auto store = Open(server);
  std::vector<Transaction> all = {Msg("ours"), Msg("theirs")};
  for (const Transaction& txn : all) ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  // As dtm writes it: nanoseconds, and a member that we do not know.
  constexpr std::string_view kBegin =
      R"({"id":0,"create_time":"2026-11-21T09:26:07.501222633Z","update_time":)";
  constexpr std::string_view kEnd =
      R"(,"gid":"theirs","url":"http://h/\u0026","new":1,"branch_id":"02","op":"action","status":)";
  WriteRowAsDtm(server,
                "theirs",
                1,
                Cat(kBegin, R"("2026-11-21T09:26:07.501222633Z")", kEnd, R"("prepared"})"));
  std::vector<SaveRecord> saves;
  for (Transaction& txn : all) {
    saves.push_back(ChangeOf(*store, txn, TransStatus::kSucceeded, {0, 1}));
  }
  EXPECT_THAT(Results(*store, saves), testing::Each(SaveResult::kStored));
  const std::string time = FormatTime(all[1].update_time);
  EXPECT_EQ(server.Ask("LINDEX {a}_b_theirs 1"),
            Cat(kBegin, "\"", time, "\"", kEnd, R"("succeed","finish_time":")", time, "\"}"));
  EXPECT_EQ(MustLoad(*store, "ours").branches, all[0].branches);
}

TEST(RedisBatches, SeeWhatDtmWroteBeforeItWasKeptFromExpiring) {
  const RedisServer server;
  const auto store = Open(server);
  Transaction txn = Msg("m1");
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  std::string row = server.Ask("LINDEX {a}_b_m1 1");
  row.replace(row.find("prepared"), 8, "failed");
  WriteRowAsDtm(server, "m1", 1, row);
  Claim(*store, Now());  // keeps what dtm has written from expiring
  std::vector<SaveRecord> saves = {ChangeOf(*store, txn, TransStatus::kSucceeded, {0, 1})};
  EXPECT_THAT(Results(*store, saves), ElementsAre(SaveResult::kConflict));
  EXPECT_EQ(server.Ask("LINDEX {a}_b_m1 1"), row);
}

TEST(RedisBatches, AppendBranches) {
  const RedisServer server;
  const auto store = Open(server);
  std::vector<Transaction> all = {Msg("a"), Msg("b")};
  std::vector<SaveRecord> saves;
  for (Transaction& txn : all) {
    ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
    Branch added = txn.branches.back();
    added.branch_id = "03";
    txn.branches.push_back(added);
    saves.push_back(store->Encode({.txn = &txn,
                                   .expected_version = txn.version++,
                                   .expected_status = txn.status,
                                   .branches_from = 2,
                                   .payloads_from = 1}));
  }
  const int64_t before = ScriptCalls(server);
  EXPECT_THAT(Results(*store, saves), testing::Each(SaveResult::kStored));
  EXPECT_EQ(ScriptCalls(server) - before, 1);
  for (const Transaction& txn : all) EXPECT_EQ(MustLoad(*store, txn.gid).branches, txn.branches);
}

TEST(RedisBatches, TakeFewCalls) {
  const RedisServer server;
  const auto store = Open(server);
  const int64_t before = ScriptCalls(server);
  std::vector<Transaction> all;
  std::vector<SaveRecord> saves;
  for (int i = 0; i < 300; ++i) all.push_back(Msg(Cat("m", i)));
  all[7].payloads[0].assign(1 << 20, 'x');  // larger than a call for many may be
  for (const Transaction& txn : all) saves.push_back(CreationOf(*store, txn));
  EXPECT_THAT(Results(*store, saves), testing::Each(SaveResult::kStored));
  saves.clear();
  for (Transaction& txn : all) {
    saves.push_back(ChangeOf(*store, txn, TransStatus::kSucceeded, {0, 1}));
  }
  EXPECT_THAT(Results(*store, saves), testing::Each(SaveResult::kStored));
  EXPECT_LT(ScriptCalls(server) - before, 30);
  EXPECT_EQ(server.Ask("ZCARD {a}_u"), "0");
  EXPECT_EQ(MustLoad(*store, "m299").branches[1].status, BranchStatus::kSucceeded);
}

// --- Records that are damaged

TEST(RedisDamage, HidesNeitherTheRestOfAListNorOfWhatIsDue) {
  const RedisServer server;
  for (const std::string_view gid : {"record", "branch", "type", "whole"}) LeaveSaga(server, gid);
  const auto store = Open(server);
  Put(server, "SET {a}_g_record", "{cut sho");
  Put(server, "LSET {a}_b_branch 1", "{\"branch_id\":7}");
  server.Ask("DEL {a}_b_type");
  Put(server, "SET {a}_b_type", "no list");

  const auto page = store->List({});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->records.size(), 1U);
  EXPECT_EQ(page->records[0].gid, "whole");
  std::vector<std::string> damaged;
  for (const DamagedRecord& record : page->damaged) {
    damaged.push_back(record.gid);
    EXPECT_FALSE(record.error.empty());
  }
  EXPECT_THAT(damaged, UnorderedElementsAre("record", "branch", "type"));
  EXPECT_EQ(store->Load("branch").status().code(), StatusCode::kDataLoss);

  EXPECT_THAT(Claim(*store, Now()), ElementsAre("whole"));
  EXPECT_THAT(Claim(*store, Now()), ElementsAre());
}

// --- A Redis that refuses

TEST(RedisRefusals, FullMemoryRefusesSavesAndLosesNothing) {
  const RedisServer server;
  const auto store = Open(server, {.patience = kPatience});
  Transaction before = Msg("before");
  ASSERT_EQ(Create(*store, before).result, SaveResult::kStored);
  server.Ask("CONFIG SET maxmemory 1");
  const SaveOutcome refused = Create(*store, Msg("during"));
  EXPECT_EQ(refused.result, SaveResult::kUnknown);
  EXPECT_THAT(refused.error, HasSubstr("raise Redis's maxmemory"));
  Transaction change = before;
  EXPECT_EQ(Change(*store, change, TransStatus::kSucceeded, {0, 1}).result, SaveResult::kUnknown);
  EXPECT_EQ(store->Health().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(MustLoad(*store, "before"), MustLoad(*Open(server), "before"));
  EXPECT_FALSE(store->Load("during")->has_value());

  server.Ask("CONFIG SET maxmemory 0");
  EXPECT_TRUE(store->Health().ok()) << store->Health();
  EXPECT_EQ(Change(*store, before, TransStatus::kSucceeded, {0, 1}).result, SaveResult::kStored);
}

TEST(RedisRefusals, AnAccountThatMayTooLittleIsFoundAtTheStart) {
  const RedisServer server({"user troth on >right ~{a}_* +@all -zadd"});
  const auto refusal = [&](std::string user, std::string password) {
    const Status error = OpenError({.servers = {server.endpoint()},
                                    .user = std::move(user),
                                    .password = std::move(password),
                                    .patience = kPatience});
    EXPECT_EQ(error.code(), StatusCode::kFailedPrecondition) << error;
    return std::string(Message(error));
  };
  EXPECT_THAT(refusal("troth", "right"), HasSubstr("docs/stores.md lists what it needs"));
  EXPECT_THAT(refusal("troth", "wrong"), HasSubstr("check Store.User and Store.Password"));
  EXPECT_THAT(refusal("", "needless"), HasSubstr("check Store.User and Store.Password"));
  server.Ask("CONFIG SET requirepass right");
  EXPECT_THAT(refusal("", ""), HasSubstr("set Store.Password"));
}

TEST(RedisRefusals, AReplicaIsNamed) {
  const RedisServer master;
  const RedisServer replica({Cat("replicaof 127.0.0.1 ", master.endpoint().port)});
  const Status error = OpenError({.servers = {replica.endpoint()}, .patience = kPatience});
  EXPECT_THAT(std::string(Message(error)), HasSubstr("Store.Host is a replica"));
}

TEST(RedisRefusals, AMasterThatBecomesAReplicaIsNotWritten) {
  const RedisServer other, server;
  const auto store = Open(server, {.patience = kPatience});
  ASSERT_EQ(Create(*store, Msg("a")).result, SaveResult::kStored);
  server.Ask(Cat("REPLICAOF 127.0.0.1 ", other.endpoint().port));
  const SaveOutcome refused = Create(*store, Msg("b"));
  EXPECT_EQ(refused.result, SaveResult::kUnknown);
  EXPECT_THAT(refused.error, HasSubstr("is a replica"));
  EXPECT_FALSE(store->Health().ok());
}

TEST(RedisRefusals, AServerThatEvictsIsNotUsed) {
  const RedisServer server({"maxmemory 100mb", "maxmemory-policy allkeys-lru"});
  const Status error = OpenError({.servers = {server.endpoint()}});
  EXPECT_EQ(error.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(error)), HasSubstr("set maxmemory-policy noeviction"));
}

TEST(RedisRefusals, ASaveOutlivesTheServerThatWritesBeforeItAnswers) {
  RedisServer server({"appendonly yes", "appendfsync always"});
  const auto store = Open(server);
  Transaction txn = Msg("m1");
  ASSERT_EQ(Create(*store, txn).result, SaveResult::kStored);
  server.Kill();
  server.Start();
  EXPECT_EQ(MustLoad(*store, "m1").branches.size(), 2U);
  EXPECT_EQ(Change(*store, txn, TransStatus::kSucceeded, {0, 1}).result, SaveResult::kStored);
}

// --- Clusters, addresses, reset

// --- Replicas

TEST(RedisReplicas, HaveWhatCountsAsStored) {
  const RedisServer master({"repl-diskless-sync-delay 0"});
  const RedisServer replica({Cat("replicaof 127.0.0.1 ", master.endpoint().port)});
  ASSERT_TRUE(Eventually([&] { return HasReplica(master); }));
  const auto store = Open(master, {.wait_replicas = 1});
  std::vector<std::string> stored;
  std::atomic<bool> enough = false;
  std::thread creator([&] {
    for (int i = 0; !enough; ++i) {
      const std::string gid = Cat("m", i);
      if (Create(*store, Msg(gid)).result == SaveResult::kStored) stored.push_back(gid);
    }
  });
  // The replica becomes the master while it is written to, as at a failover.
  ASSERT_TRUE(Eventually([&] { return replica.Ask("EXISTS {a}_g_m20") == "1"; }));
  replica.Ask("REPLICAOF NO ONE");
  ASSERT_TRUE(Eventually([&] { return !store->Health().ok(); }));
  enough = true;
  creator.join();
  EXPECT_FALSE(stored.empty());
  const auto after = Open(replica);
  for (const std::string& gid : stored) EXPECT_EQ(MustLoad(*after, gid).gid, gid);
}

TEST(RedisReplicas, ThatAreMissingLeaveASaveUnknown) {
  const RedisServer master({"repl-diskless-sync-delay 0"});
  const auto store = Open(master, {.wait_replicas = 1, .wait_timeout = kShort});
  const SaveOutcome outcome = Create(*store, Msg("m1"));
  EXPECT_EQ(outcome.result, SaveResult::kUnknown);
  EXPECT_THAT(outcome.error, HasSubstr("Store.RedisWaitReplicas"));
  EXPECT_EQ(store->Health().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store->Load("m1").status().code(), StatusCode::kUnavailable);
  const auto page = store->List({});  // for people
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->records.size(), 1U);

  const RedisServer replica({Cat("replicaof 127.0.0.1 ", master.endpoint().port)});
  EXPECT_TRUE(Eventually([&] { return store->Health().ok(); }));
  EXPECT_TRUE(Eventually([&] { return store->Load("m1").ok(); }));
}

TEST(RedisCluster, KeepsAllKeysInOneSlot) {
  const auto servers = redis::StartCluster(3);
  auto opened = OpenRedisStore({.servers = {servers[0]->endpoint(), servers[1]->endpoint()}});
  ASSERT_TRUE(opened.ok()) << opened.status();
  Store& store = **opened;
  Transaction txn = Msg("m1");
  ASSERT_EQ(Create(store, txn).result, SaveResult::kStored);
  EXPECT_THAT(Claim(store, Now() + Seconds(100)), ElementsAre("m1"));
  txn = MustLoad(store, "m1");
  EXPECT_EQ(Change(store, txn, TransStatus::kSucceeded, {0, 1}).result, SaveResult::kStored);
  const auto page = store.List({});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->records.size(), 1U);

  for (const auto& server : servers) {
    const auto fresh = OpenRedisStore({.servers = {server->endpoint()}});
    ASSERT_TRUE(fresh.ok()) << fresh.status();
    EXPECT_EQ((*fresh)->List({})->records.size(), 1U);
  }
  ASSERT_TRUE(ResetRedisStore({.servers = {servers[0]->endpoint()}}).ok());
  EXPECT_EQ(store.List({})->records.size(), 0U);

  const Status error = OpenError({.servers = {servers[0]->endpoint()}, .prefix = "dtm"});
  EXPECT_THAT(std::string(Message(error)), HasSubstr("put a part of it in braces: {dtm}"));
}

TEST(RedisServers, AreReadFromTheConfiguration) {
  const auto one = ParseRedisServers("h", 6379);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_THAT(*one, ElementsAre(redis::Endpoint{"h", 6379}));
  const auto two = ParseRedisServers("h1:1, [::1]:2", 6379);
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_THAT(*two, ElementsAre(redis::Endpoint{"h1", 1}, redis::Endpoint{"::1", 2}));
  EXPECT_FALSE(ParseRedisServers("h1:1,h2", 6379).ok());
}

TEST(RedisReset, RemovesItsOwnKeysOnly) {
  const RedisServer server;
  const auto store = Open(server, {.prefix = "{a*}"});
  ASSERT_EQ(Create(*store, Msg("m1")).result, SaveResult::kStored);
  server.Ask("SET {ab}_g_m1 1");
  server.Ask("SET other 1");
  ASSERT_TRUE(ResetRedisStore({.servers = {server.endpoint()}, .prefix = "{a*}"}).ok());
  EXPECT_EQ(server.Ask("DBSIZE"), "2");
  EXPECT_FALSE(store->Load("m1")->has_value());
}

}  // namespace
}  // namespace troth
