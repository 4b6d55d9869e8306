#include "store/sql_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace troth::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Every column without a bound: as wide as can be.
std::vector<FoundColumn> WideTables() {
  std::vector<FoundColumn> found;
  const auto add = [&](std::string_view table, std::string_view names) {
    for (const std::string_view name : Split(names, ' ')) {
      found.push_back({.table = std::string(table), .name = std::string(name), .type = "text"});
    }
  };
  add(kTransGlobal,
      "id gid trans_type status query_prepared protocol create_time update_time finish_time "
      "rollback_time options custom_data next_cron_interval next_cron_time owner ext_data result "
      "rollback_reason troth_state");
  add(kTransBranchOp,
      "id gid url data bin_data branch_id op status finish_time rollback_time create_time "
      "update_time");
  add(kKv, "id cat k v version create_time update_time");
  return found;
}

FoundColumn& ColumnOf(std::vector<FoundColumn>& found,
                      std::string_view table,
                      std::string_view name) {
  for (FoundColumn& column : found) {
    if (column.table == table && column.name == name) return column;
  }
  ADD_FAILURE() << table << "." << name;
  return found.front();
}

TEST(SqlSchema, FindsNothingWrongWithWideTables) {
  EXPECT_THAT(FindProblems(Dialect::kMysql, WideTables()), IsEmpty());
  EXPECT_THAT(FindProblems(Dialect::kPostgres, WideTables()), IsEmpty());
}

TEST(SqlSchema, MissesTables) {
  const auto problems = FindProblems(Dialect::kPostgres, {});
  ASSERT_THAT(problems, SizeIs(3));
  EXPECT_EQ(problems[0].kind, ProblemKind::kNoTable);
  EXPECT_EQ(problems[0].text, "there is no table trans_global");
  EXPECT_THAT(problems[0].statements, SizeIs(4));
  EXPECT_EQ(problems[0].statements[0], "CREATE SEQUENCE IF NOT EXISTS trans_global_seq");
  EXPECT_THAT(problems[0].statements[1], HasSubstr("CONSTRAINT gid UNIQUE (gid)"));
}

TEST(SqlSchema, MissesColumnsThatOlderReleasesDidNotHave) {
  std::vector<FoundColumn> found = WideTables();
  std::erase_if(found, [](const FoundColumn& column) { return column.name == "result"; });
  const auto problems = FindProblems(Dialect::kMysql, found);
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].text, "trans_global has no column result");
  EXPECT_THAT(problems[0].statements,
              ElementsAre("ALTER TABLE trans_global ADD result varchar(1024) DEFAULT ''"));
}

TEST(SqlSchema, CanDoWithoutTheColumnThatIsNotDtms) {
  std::vector<FoundColumn> found = WideTables();
  std::erase_if(found, [](const FoundColumn& column) { return column.name == "troth_state"; });
  const auto problems = FindProblems(Dialect::kMysql, found);
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].kind, ProblemKind::kNarrow);
  EXPECT_THAT(problems[0].statements,
              ElementsAre("ALTER TABLE trans_global ADD troth_state mediumtext"));
}

TEST(SqlSchema, TellsColumnsThatAreShorterThanDtms) {
  std::vector<FoundColumn> found = WideTables();
  FoundColumn& url = ColumnOf(found, kTransBranchOp, "url");
  url.type = "character varying";
  url.length = 128;
  const auto problems = FindProblems(Dialect::kPostgres, found);
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].kind, ProblemKind::kTooShort);
  EXPECT_EQ(problems[0].text, "trans_branch_op.url holds 128 characters, 1024 are needed");
  EXPECT_THAT(problems[0].statements,
              ElementsAre("ALTER TABLE trans_branch_op ALTER COLUMN url TYPE varchar(1024)"));
}

TEST(SqlSchema, TellsWhereClientsMaySendMoreThanFits) {
  std::vector<FoundColumn> found = WideTables();
  FoundColumn& url = ColumnOf(found, kTransBranchOp, "url");
  url.type = "varchar";
  url.length = 1024;
  FoundColumn& payload = ColumnOf(found, kTransBranchOp, "bin_data");
  payload.type = "blob";
  payload.length = 65535;
  const auto problems = FindProblems(Dialect::kMysql, found);
  ASSERT_THAT(problems, SizeIs(2));
  EXPECT_EQ(problems[0].kind, ProblemKind::kNarrow);
  EXPECT_THAT(problems[0].statements,
              ElementsAre("ALTER TABLE trans_branch_op MODIFY url text NOT NULL"));
  EXPECT_THAT(problems[1].statements,
              ElementsAre("ALTER TABLE trans_branch_op MODIFY bin_data longblob"));
  url.type = "text";
  url.length = 65535;
  payload.type = "longblob";
  payload.length = 4294967295;
  EXPECT_THAT(FindProblems(Dialect::kMysql, found), IsEmpty());
}

TEST(SqlSchema, DropsWhatItCreates) {
  EXPECT_THAT(DropStatements(Dialect::kMysql),
              ElementsAre("DROP TABLE IF EXISTS trans_global",
                          "DROP TABLE IF EXISTS trans_branch_op",
                          "DROP TABLE IF EXISTS kv"));
  EXPECT_THAT(DropStatements(Dialect::kPostgres), SizeIs(6));
}

TEST(SqlSchema, KnowsHowMuchAColumnTakes) {
  std::vector<FoundColumn> found = WideTables();
  ColumnOf(found, kTransGlobal, "options").length = 1024;
  EXPECT_EQ(WidthOf(found, kTransGlobal, "options"), 1024U);
  EXPECT_EQ(WidthOf(found, kTransGlobal, "result"), std::nullopt);
  EXPECT_EQ(WidthOf(found, kTransGlobal, "nothing"), 0U);
}

}  // namespace
}  // namespace troth::sql
