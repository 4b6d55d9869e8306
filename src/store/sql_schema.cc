#include "store/sql_schema.h"

#include <algorithm>

#include "base/text.h"

namespace troth::sql {
namespace {

// A column of dtm's layout (protocol/stores.md 5), and as `troth store widen` makes it.
struct Column {
  std::string_view table;
  std::string_view name;
  std::string_view mysql;
  std::string_view postgres;
  uint64_t length = 0;  // of dtm's own; 0: no text
  // Where clients may send more than dtm's own takes. MySQL gives a text column no default, so that
  // NULL stands for the empty text.
  std::string_view wide_mysql = "";
  std::string_view wide_postgres = "";
};

constexpr std::string_view kTrothState = "troth_state";
// dtm's own collation takes 'a' and 'A' for one gid; clients do not.
constexpr std::string_view kNameMysql = "varchar(128) COLLATE utf8mb4_bin NOT NULL";
constexpr std::string_view kTimeMysql = "datetime DEFAULT NULL";
constexpr std::string_view kTimePostgres = "timestamp(0) with time zone DEFAULT NULL";

constexpr Column kColumns[] = {
    {kTransGlobal,
     "id",
     "bigint(22) NOT NULL AUTO_INCREMENT",
     "bigint NOT NULL DEFAULT NEXTVAL('trans_global_seq')"},
    {kTransGlobal, "gid", kNameMysql, "varchar(128) NOT NULL", 128},
    {kTransGlobal, "trans_type", "varchar(45) NOT NULL", "varchar(45) NOT NULL", 8},
    {kTransGlobal, "status", "varchar(12) NOT NULL", "varchar(45) NOT NULL", 9},
    {kTransGlobal,
     "query_prepared",
     "varchar(1024) NOT NULL",
     "varchar(1024) NOT NULL",
     1024,
     "text NOT NULL",
     "text"},
    {kTransGlobal, "protocol", "varchar(45) NOT NULL", "varchar(45) NOT NULL", 8},
    {kTransGlobal, "create_time", kTimeMysql, kTimePostgres},
    {kTransGlobal, "update_time", kTimeMysql, kTimePostgres},
    {kTransGlobal, "finish_time", kTimeMysql, kTimePostgres},
    {kTransGlobal, "rollback_time", kTimeMysql, kTimePostgres},
    {kTransGlobal,
     "options",
     "varchar(1024) DEFAULT ''",
     "varchar(1024) DEFAULT ''",
     1024,
     "mediumtext",
     "text"},
    {kTransGlobal,
     "custom_data",
     "varchar(1024) DEFAULT ''",
     "varchar(1024) DEFAULT ''",
     1024,
     "mediumtext",
     "text"},
    {kTransGlobal, "next_cron_interval", "int(11) DEFAULT NULL", "int DEFAULT NULL"},
    {kTransGlobal, "next_cron_time", kTimeMysql, kTimePostgres},
    {kTransGlobal,
     "owner",
     "varchar(128) NOT NULL DEFAULT ''",
     "varchar(128) NOT NULL DEFAULT ''",
     45},
    {kTransGlobal, "ext_data", "text", "text"},
    {kTransGlobal,
     "result",
     "varchar(1024) DEFAULT ''",
     "varchar(1024) DEFAULT ''",
     1024,
     "mediumtext",
     "text"},
    {kTransGlobal, "rollback_reason", "varchar(1024) DEFAULT ''", "varchar(1024) DEFAULT ''", 1024},
    {kTransGlobal, kTrothState, "mediumtext", "text"},

    {kTransBranchOp,
     "id",
     "bigint(22) NOT NULL AUTO_INCREMENT",
     "bigint NOT NULL DEFAULT NEXTVAL('trans_branch_op_seq')"},
    {kTransBranchOp, "gid", kNameMysql, "varchar(128) NOT NULL", 128},
    {kTransBranchOp,
     "url",
     "varchar(1024) NOT NULL",
     "varchar(1024) NOT NULL",
     1024,
     "text NOT NULL",
     "text"},
    {kTransBranchOp, "data", "text", "text"},
    {kTransBranchOp, "bin_data", "blob", "bytea", 0, "longblob", ""},
    {kTransBranchOp, "branch_id", kNameMysql, "varchar(128) NOT NULL", 128},
    {kTransBranchOp, "op", "varchar(45) NOT NULL", "varchar(45) NOT NULL", 10},
    {kTransBranchOp, "status", "varchar(45) NOT NULL", "varchar(45) NOT NULL", 9},
    {kTransBranchOp, "finish_time", kTimeMysql, kTimePostgres},
    {kTransBranchOp, "rollback_time", kTimeMysql, kTimePostgres},
    {kTransBranchOp, "create_time", kTimeMysql, kTimePostgres},
    {kTransBranchOp, "update_time", kTimeMysql, kTimePostgres},

    {kKv, "id", "bigint(22) NOT NULL AUTO_INCREMENT", "bigint NOT NULL DEFAULT NEXTVAL('kv_seq')"},
    {kKv, "cat", "varchar(45) NOT NULL", "varchar(45) NOT NULL", 45},
    {kKv, "k", kNameMysql, "varchar(128) NOT NULL", 128},
    {kKv, "v", "text", "text", 0, "mediumtext", ""},
    {kKv, "version", "bigint(22) DEFAULT 1", "bigint DEFAULT 1"},
    {kKv, "create_time", kTimeMysql, kTimePostgres},
    {kKv, "update_time", kTimeMysql, kTimePostgres},
};

// What follows a table's columns.
struct Table {
  std::string_view name;
  std::string_view mysql_keys;
  std::string_view postgres_keys;
  std::string_view postgres_indexes;  // a statement each, joined by ';'
};

constexpr Table kTables[] = {
    {kTransGlobal,
     "PRIMARY KEY (id), UNIQUE KEY gid (gid), KEY owner (owner), "
     "KEY status_next_cron_time (status, next_cron_time)",
     "PRIMARY KEY (id), CONSTRAINT gid UNIQUE (gid)",
     "CREATE INDEX IF NOT EXISTS owner ON trans_global (owner);"
     "CREATE INDEX IF NOT EXISTS status_next_cron_time ON trans_global (status, next_cron_time)"},
    {kTransBranchOp,
     "PRIMARY KEY (id), UNIQUE KEY gid_uniq (gid, branch_id, op)",
     "PRIMARY KEY (id), CONSTRAINT gid_branch_uniq UNIQUE (gid, branch_id, op)",
     ""},
    {kKv,
     "PRIMARY KEY (id), UNIQUE KEY uniq_k (cat, k)",
     "PRIMARY KEY (id), CONSTRAINT uniq_k UNIQUE (cat, k)",
     ""},
};

std::string_view TypeOf(Dialect dialect, const Column& column) {
  return dialect == Dialect::kMysql ? column.mysql : column.postgres;
}
std::string_view WideTypeOf(Dialect dialect, const Column& column) {
  return dialect == Dialect::kMysql ? column.wide_mysql : column.wide_postgres;
}

const FoundColumn* Find(std::span<const FoundColumn> found,
                        std::string_view table,
                        std::string_view name) {
  const auto column = std::ranges::find_if(found, [&](const FoundColumn& candidate) {
    return candidate.table == table && candidate.name == name;
  });
  return column == found.end() ? nullptr : &*column;
}

std::string CreateTable(Dialect dialect, const Table& table) {
  std::string out = Cat("CREATE TABLE IF NOT EXISTS ", table.name, " (");
  for (const Column& column : kColumns) {
    if (column.table != table.name) continue;
    CatTo(out, column.name, ' ', TypeOf(dialect, column), ", ");
  }
  if (dialect == Dialect::kPostgres) return Cat(out, table.postgres_keys, ")");
  return Cat(out, table.mysql_keys, ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");
}

void AppendCreateStatements(Dialect dialect, const Table& table, std::vector<std::string>& out) {
  if (dialect == Dialect::kPostgres) {
    out.push_back(Cat("CREATE SEQUENCE IF NOT EXISTS ", table.name, "_seq"));
  }
  out.push_back(CreateTable(dialect, table));
  if (dialect != Dialect::kPostgres || table.postgres_indexes.empty()) return;
  for (const std::string_view index : Split(table.postgres_indexes, ';')) out.emplace_back(index);
}

Problem NoTable(Dialect dialect, const Table& table) {
  Problem problem = {.kind = ProblemKind::kNoTable,
                     .text = Cat("there is no table ", table.name),
                     .statements = {}};
  AppendCreateStatements(dialect, table, problem.statements);
  return problem;
}

Problem NoColumn(Dialect dialect, const Column& column) {
  const bool is_ours = column.name == kTrothState;
  return {
      .kind = is_ours ? ProblemKind::kNarrow : ProblemKind::kNoColumn,
      .text = Cat(column.table,
                  " has no column ",
                  column.name,
                  is_ours ? ": the last failed calls and a saga's used tries are not kept" : ""),
      .statements = {
          Cat("ALTER TABLE ", column.table, " ADD ", column.name, ' ', TypeOf(dialect, column))}};
}

std::string ChangeType(Dialect dialect, const Column& column, std::string_view type) {
  if (dialect == Dialect::kMysql) {
    return Cat("ALTER TABLE ", column.table, " MODIFY ", column.name, ' ', type);
  }
  // PostgreSQL keeps NOT NULL and the default, and takes the bare type only.
  const std::string_view bare = type.substr(0, type.find(' '));
  return Cat("ALTER TABLE ", column.table, " ALTER COLUMN ", column.name, " TYPE ", bare);
}

std::optional<Problem> CompareWidth(Dialect dialect,
                                    const Column& column,
                                    const FoundColumn& found) {
  if (found.length && *found.length < column.length) {
    return Problem{.kind = ProblemKind::kTooShort,
                   .text = Cat(column.table,
                               '.',
                               column.name,
                               " holds ",
                               *found.length,
                               " characters, ",
                               column.length,
                               " are needed"),
                   .statements = {ChangeType(dialect, column, TypeOf(dialect, column))}};
  }
  const std::string_view wide = WideTypeOf(dialect, column);
  // 64 KiB and less; the wide types begin above, except MySQL's text for URLs.
  constexpr uint64_t kNarrowMax = 65'535;
  const bool is_wide_enough =
      !found.length || *found.length > kNarrowMax || wide.starts_with(found.type);
  if (wide.empty() || is_wide_enough) return std::nullopt;
  return Problem{
      .kind = ProblemKind::kNarrow,
      .text = Cat(column.table, '.', column.name, " holds ", *found.length, " bytes or characters"),
      .statements = {ChangeType(dialect, column, wide)}};
}

}  // namespace

std::string ColumnsQuery(std::string_view placeholder) {
  return Cat(
      "select table_name, column_name, data_type, character_maximum_length "
      "from information_schema.columns where table_schema = ",
      placeholder,
      " and table_name in ('trans_global', 'trans_branch_op', 'kv')");
}

std::vector<Problem> FindProblems(Dialect dialect, std::span<const FoundColumn> found) {
  std::vector<Problem> problems;
  for (const Table& table : kTables) {
    if (std::ranges::find(found, table.name, &FoundColumn::table) == found.end()) {
      problems.push_back(NoTable(dialect, table));
      continue;
    }
    for (const Column& column : kColumns) {
      if (column.table != table.name) continue;
      const FoundColumn* const match = Find(found, column.table, column.name);
      if (match == nullptr) {
        problems.push_back(NoColumn(dialect, column));
      } else if (auto problem = CompareWidth(dialect, column, *match)) {
        problems.push_back(*std::move(problem));
      }
    }
  }
  return problems;
}

std::vector<std::string> CreateStatements(Dialect dialect) {
  std::vector<std::string> statements;
  for (const Table& table : kTables) AppendCreateStatements(dialect, table, statements);
  return statements;
}

std::vector<std::string> DropStatements(Dialect dialect) {
  std::vector<std::string> statements;
  for (const Table& table : kTables) {
    statements.push_back(Cat("DROP TABLE IF EXISTS ", table.name));
    if (dialect != Dialect::kPostgres) continue;
    statements.push_back(Cat("DROP SEQUENCE IF EXISTS ", table.name, "_seq"));
  }
  return statements;
}

std::optional<uint64_t> WidthOf(std::span<const FoundColumn> found,
                                std::string_view table,
                                std::string_view column) {
  const FoundColumn* const match = Find(found, table, column);
  return match == nullptr ? 0 : match->length;
}

}  // namespace troth::sql
