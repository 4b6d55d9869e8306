#pragma once
// The tables of a SQL store: made, looked at, emptied, widened. What differs between databases is
// behind SqlSession; the statements are sql_schema.h's.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/sql_schema.h"

namespace troth::sql {

// One connection for statements without parameters. One thread at a time.
class SqlSession {
 public:
  virtual ~SqlSession() = default;

  virtual Dialect dialect() const = 0;
  // "database dtm at 127.0.0.1:3306": for people.
  virtual std::string where() const = 0;
  // AlreadyExists when it would make what is there.
  virtual Status Execute(std::string_view statement) = 0;
  // Makes what tables are in, a schema, when it is not there.
  virtual Status CreateNamespace() { return OkStatus(); }
  // The columns of dtm's tables in the configured database or schema; none: no table.
  virtual StatusOr<std::vector<FoundColumn>> FindColumns() = 0;
};

// Creates what is missing, as a first start does. Several servers may do so at once. Afterwards the
// tables can be used; else FailedPrecondition names the statements an operator must run, because
// the account may not or because older tables must not be changed without being asked.
Status EnsureTables(SqlSession& session);

// OK when a store can work with these columns. Else FailedPrecondition with each problem and the
// statement that puts it right.
Status CheckUsable(Dialect dialect,
                   std::string_view where,
                   const std::vector<FoundColumn>& columns);

// Empties the store: all transactions and named values are gone.
Status ResetTables(SqlSession& session);

// Runs the statements of each problem there is (FindProblems), until there is none. Returns the
// problems it has solved.
StatusOr<std::vector<Problem>> WidenTables(SqlSession& session);

}  // namespace troth::sql
