// The connection against a real PostgreSQL.

#include "store/postgres/pg_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/text.h"
#include "store/postgres/pg_error.h"
#include "store/postgres/postgres_testing.h"

namespace troth::postgres {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PgConnection : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = TestServer::Start("fsync = off");
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = started->release();
  }
  static void TearDownTestSuite() { delete server_; }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    connection_ = Open(server_->superuser());
    ASSERT_NE(connection_, nullptr);
    ASSERT_TRUE(connection_
                    ->Execute("drop table if exists t; create table t (k text unique, "
                              "v bytea, n int, at timestamptz(0))")
                    .ok());
  }

  static std::unique_ptr<Connection> Open(const ConnectionOptions& options) {
    auto opened = Connection::Open(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  Connection& connection() { return *connection_; }
  int64_t Count() {
    static const Statement kCount = {"count", "select count(*) from t"};
    const auto result = connection().Run({.statement = &kCount});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->Int(0, 0) : -1;
  }

  static TestServer* server_;

 private:
  std::unique_ptr<Connection> connection_;
};

TestServer* PgConnection::server_ = nullptr;

const Statement kInsert = {"insert", "insert into t (k) values ($1)"};

Query Insert(std::string_view key) {
  return {.statement = &kInsert, .parameters = Parameters().Text(key)};
}

TEST_F(PgConnection, SendsAndReadsValuesOfEveryType) {
  static const Statement kColumns = {
      "columns",
      "insert into t (k, v, n, at) select * from unnest($1::text[], $2::bytea[], $3::int[], "
      "$4::timestamptz[]) returning k, v, n, at, n is null"};
  Array keys(Type::kText), values(Type::kBytes), numbers(Type::kInt4), times(Type::kTime);
  const std::string bytes("\0\xff'\\", 4);
  const TimePoint time = FromMicros(1'795'254'462'000'000);
  keys.Text("a\"b\\c");
  keys.Text("");
  values.Text(bytes);
  values.Null();
  numbers.Int(-7);
  numbers.Null();
  times.Time(time);
  times.Null();
  Query query = {.statement = &kColumns};
  query.parameters.Add(std::move(keys)).Add(std::move(values));
  query.parameters.Add(std::move(numbers)).Add(std::move(times));
  const auto result = connection().Run(query);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->rows(), 2U);
  EXPECT_EQ(result->affected(), 2U);
  EXPECT_EQ(result->Text(0, 0), "a\"b\\c");
  EXPECT_EQ(result->Text(0, 1), bytes);
  EXPECT_EQ(result->Int(0, 2), -7);
  EXPECT_EQ(result->Time(0, 3), time);
  EXPECT_FALSE(result->Bool(0, 4));
  EXPECT_EQ(result->Text(1, 0), "");
  EXPECT_TRUE(result->IsNull(1, 1));
  EXPECT_EQ(result->OptionalTime(1, 3), std::nullopt);
  EXPECT_TRUE(result->Bool(1, 4));
}

TEST_F(PgConnection, UndoesATransactionWhenOneStatementFails) {
  const std::vector<Query> queries = {Insert("a"), Insert("b"), Insert("a"), Insert("c")};
  const auto results = connection().RunTransaction(queries);
  EXPECT_EQ(results.status().code(), StatusCode::kAlreadyExists) << results.status();
  EXPECT_TRUE(SurelyNotDone(results.status()));
  EXPECT_TRUE(connection().usable());
  EXPECT_EQ(Count(), 0);
  EXPECT_TRUE(connection().RunTransaction(std::vector<Query>{Insert("a"), Insert("b")}).ok());
  EXPECT_EQ(Count(), 2);
}

TEST_F(PgConnection, SendsMoreThanBuffersHold) {
  static const Statement kEcho = {"echo", "select $1::text"};
  const std::string large(1 << 20, 'x');
  const std::vector<Query> queries(32,
                                   {.statement = &kEcho, .parameters = Parameters().Text(large)});
  const auto results = connection().RunTransaction(queries);
  ASSERT_TRUE(results.ok()) << results.status();
  for (const Result& result : *results) EXPECT_EQ(result.Text(0, 0), large);
}

TEST_F(PgConnection, TellsErrorsByWhatToDo) {
  const auto code = [&](const char* sql) { return connection().Execute(sql).code(); };
  EXPECT_EQ(code("select * from nowhere"), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code("select nothing from t"), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code("syntax error"), StatusCode::kInternal);
  EXPECT_EQ(code("alter table t alter k type varchar(3); insert into t (k) values ('long')"),
            StatusCode::kOutOfRange);
  EXPECT_EQ(code("begin read only; insert into t (k) values ('a'); commit"),
            StatusCode::kFailedPrecondition);
  EXPECT_TRUE(connection().Execute("rollback").ok());
  EXPECT_THAT(std::string(Message(connection().Execute("select * from nowhere"))),
              HasSubstr("troth store check"));
}

TEST_F(PgConnection, SaysWhatADatabaseDoesNotSupport) {
  static const Statement kUnsupported = {"unsupported", "select count(*) from t for update"};
  const auto result =
      connection().RunTransaction(std::vector<Query>{Insert("a"), {.statement = &kUnsupported}});
  EXPECT_EQ(result.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(SurelyNotDone(result.status()));
  EXPECT_THAT(std::string(Message(result.status())),
              AllOf(HasSubstr("(SQLSTATE 0A000)"), HasSubstr("docs/stores.md")));
  EXPECT_TRUE(connection().usable());
  EXPECT_EQ(Count(), 0);
}

TEST_F(PgConnection, PreparesAnewWhenAColumnHasChanged) {
  static const Statement kRead = {"read", "select k from t"};
  const Query read = {.statement = &kRead};
  ASSERT_TRUE(connection().Run(Insert("a")).ok());
  ASSERT_TRUE(connection().Run(read).ok());
  ASSERT_TRUE(connection().Execute("alter table t alter k type varchar(10)").ok());
  const auto alone = connection().Run(read);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->Text(0, 0), "a");

  ASSERT_TRUE(connection().Execute("alter table t alter k type varchar(20)").ok());
  const auto together = connection().RunTransaction(std::vector<Query>{Insert("b"), read});
  ASSERT_TRUE(together.ok()) << together.status();
  EXPECT_EQ((*together)[1].rows(), 2U);
  EXPECT_EQ(Count(), 2);  // what was before the statement that failed is done once
}

TEST(PgError, TellsAStalePlanInEveryLanguage) {
  EXPECT_TRUE(IsStalePlan(
      "0A000", "gecachter Plan darf den Ergebnistyp nicht ändern", "RevalidateCachedQuery"));
  EXPECT_TRUE(IsStalePlan("0A000", "cached plan must not change result type", "reuseMemo"));
  EXPECT_FALSE(IsStalePlan(
      "0A000", "FOR UPDATE is not allowed with aggregate functions", "CheckSelectLocking"));
  EXPECT_FALSE(IsStalePlan("42P01", "relation \"t\" does not exist", "RevalidateCachedQuery"));
}

TEST_F(PgConnection, GivesUpOnARowThatSomebodyHolds) {
  ASSERT_TRUE(connection().Run(Insert("a")).ok());
  ASSERT_TRUE(connection().Execute("begin; update t set n = 1").ok());
  ConnectionOptions impatient = server_->superuser();
  impatient.lock_timeout = std::chrono::milliseconds(50);
  const auto other = Open(impatient);
  ASSERT_NE(other, nullptr);
  const Status refused = other->Execute("update t set n = 2");
  EXPECT_EQ(refused.code(), StatusCode::kAborted) << refused;
  EXPECT_TRUE(other->usable());
}

TEST_F(PgConnection, NoticesThatTheServerEndedIt) {
  const auto other = Open(server_->superuser());
  ASSERT_NE(other, nullptr);
  const std::string others =
      "from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'";
  ASSERT_TRUE(connection().Execute(Cat("select pg_terminate_backend(pid) ", others)).ok());
  ASSERT_TRUE(Eventually([&] {  // none is left to divide by
    return connection().Execute(Cat("select 1 / count(*) ", others)).code() ==
           StatusCode::kNotFound;
  }));
  const auto result = other->Run(Insert("a"));
  EXPECT_EQ(result.status().code(), StatusCode::kUnavailable) << result.status();
  EXPECT_FALSE(SurelyNotDone(result.status()));
  EXPECT_FALSE(other->usable());
}

TEST_F(PgConnection, GivesUpOnAServerThatDoesNotAnswer) {
  ConnectionOptions impatient = server_->superuser();
  impatient.answer_timeout = Seconds(2);  // for the answers to Open, too
  const auto other = Open(impatient);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other->Execute("set statement_timeout = 0").ok());
  const Status late = other->Execute("select pg_sleep(60)");
  EXPECT_EQ(late.code(), StatusCode::kDeadlineExceeded) << late;
  EXPECT_FALSE(other->usable());
}

TEST_F(PgConnection, SaysThatNobodyAnswers) {
  ConnectionOptions wrong = server_->superuser();
  wrong.port = 1;
  const auto opened = Connection::Open(wrong);
  EXPECT_EQ(opened.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(Message(opened.status())), HasSubstr("127.0.0.1:1"));
}

TEST_F(PgConnection, SaysWhatIsWrongWithTheAccount) {
  const auto refusal = [](auto change) {
    ConnectionOptions wrong = server_->superuser();
    change(wrong);
    const Status status = Connection::Open(wrong).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
    return std::string(Message(status));
  };
  EXPECT_THAT(refusal([](auto& wrong) { wrong.database = "nothing"; }),
              AllOf(HasSubstr("\"nothing\" does not exist"), HasSubstr("Store.Db")));
  EXPECT_THAT(refusal([](auto& wrong) { wrong.user = "nobody_there"; }),
              AllOf(HasSubstr("\"nobody_there\" does not exist"), HasSubstr("Store.User")));
  ASSERT_TRUE(server_->AskForPasswords("locked", "right").ok());
  EXPECT_THAT(refusal([](auto& wrong) { wrong.user = "locked"; }), HasSubstr("set Store.Password"));
  EXPECT_THAT(
      refusal([](auto& wrong) {
        wrong.user = "locked";
        wrong.password = "mistaken";
      }),
      AllOf(HasSubstr("correct Store.User and Store.Password"), Not(HasSubstr("mistaken"))));
}

}  // namespace
}  // namespace troth::postgres
