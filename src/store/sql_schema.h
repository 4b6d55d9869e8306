#pragma once
// dtm's tables in MySQL and PostgreSQL: how they are created, what is missing or too narrow in
// those found, and the statements that put it right. Text only; who has a connection runs it.
// Private to this folder and its subfolders.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troth::sql {

enum class Dialect : uint8_t { kMysql, kPostgres };

inline constexpr std::string_view kTransGlobal = "trans_global";
inline constexpr std::string_view kTransBranchOp = "trans_branch_op";
inline constexpr std::string_view kKv = "kv";

// A column as the database describes it (information_schema.columns).
struct FoundColumn {
  std::string table;
  std::string name;
  std::string type;  // data_type: "varchar", "character varying", "blob" ...
  // character_maximum_length: characters of a varchar, bytes of a blob; nothing: no bound that is
  // told (PostgreSQL's text).
  std::optional<uint64_t> length = std::nullopt;
};

// The question whose answer, in this order of columns, makes FoundColumns. It has one parameter,
// written `placeholder`: the MySQL database or the PostgreSQL schema.
std::string ColumnsQuery(std::string_view placeholder);

enum class ProblemKind : uint8_t {
  kNoTable,   // the store cannot be used
  kNoColumn,  // likewise
  kTooShort,  // shorter than dtm's own layout, from an older release: likewise
  kNarrow,    // dtm's own layout, which holds less than troth takes from clients or wants to keep
};

struct Problem {
  ProblemKind kind = ProblemKind::kNoTable;
  std::string text;  // "trans_branch_op.url holds 128 characters, 1024 are needed"
  std::vector<std::string> statements;  // put it right
};

// What is wrong, in the order of tables and columns. A missing table is one problem. One
// column is not dtm's: trans_global.troth_state, which may be missing.
std::vector<Problem> FindProblems(Dialect dialect, std::span<const FoundColumn> found);

// The same tables, sequences, constraints and indexes that dtm's own schema files make; what exists
// is left alone.
std::vector<std::string> CreateStatements(Dialect dialect);
// Removes them with everything in them.
std::vector<std::string> DropStatements(Dialect dialect);

// How many characters (MySQL bin_data: bytes) a column takes; nothing: as many as anybody sends.
// Zero when it is not there.
std::optional<uint64_t> WidthOf(std::span<const FoundColumn> found,
                                std::string_view table,
                                std::string_view column);

}  // namespace troth::sql
