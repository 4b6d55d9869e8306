#include "store/sql_admin.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace troth::sql {
namespace {

Status ExecuteAll(SqlSession& session, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    TROTH_RETURN_IF_ERROR(session.Execute(statement));
  }
  return OkStatus();
}

std::string WithStatements(std::string_view what, const std::vector<Problem>& problems) {
  std::string out(what);
  for (const Problem& problem : problems) {
    CatTo(out, "\n  ", problem.text, "; put it right with: ", JoinText(problem.statements, "; "));
  }
  return out;
}

std::vector<Problem> FatalProblems(Dialect dialect, const std::vector<FoundColumn>& columns) {
  std::vector<Problem> problems = FindProblems(dialect, columns);
  std::erase_if(problems,
                [](const Problem& problem) { return problem.kind == ProblemKind::kNarrow; });
  return problems;
}

}  // namespace

Status CheckUsable(Dialect dialect,
                   std::string_view where,
                   const std::vector<FoundColumn>& columns) {
  const std::vector<Problem> fatal = FatalProblems(dialect, columns);
  if (fatal.empty()) return OkStatus();
  return FailedPrecondition(WithStatements(
      Cat("the tables of ", where, " are not those of this version (`troth store widen` does it):"),
      fatal));
}

Status EnsureTables(SqlSession& session) {
  TROTH_ASSIGN_OR_RETURN(std::vector<FoundColumn> columns, session.FindColumns());
  const std::vector<Problem> problems = FatalProblems(session.dialect(), columns);
  const bool misses_tables =
      std::ranges::find(problems, ProblemKind::kNoTable, &Problem::kind) != problems.end();
  if (misses_tables) {
    const Status created = ExecuteAll(session, CreateStatements(session.dialect()));
    // Another server that starts at the same moment may have been first: what counts is what is
    // there now.
    TROTH_ASSIGN_OR_RETURN(columns, session.FindColumns());
    if (!created.ok() && !CheckUsable(session.dialect(), session.where(), columns).ok()) {
      return FailedPrecondition(WithStatements(Cat("the tables of ",
                                                   session.where(),
                                                   " cannot be created: ",
                                                   Message(created),
                                                   "; as an account that may:"),
                                               FatalProblems(session.dialect(), columns)));
    }
    LogInfo("the store's tables were created", {{"store", session.where()}});
  }
  return CheckUsable(session.dialect(), session.where(), columns);
}

Status ResetTables(SqlSession& session) {
  TROTH_RETURN_IF_ERROR(ExecuteAll(session, DropStatements(session.dialect())));
  return EnsureTables(session);
}

StatusOr<std::vector<Problem>> WidenTables(SqlSession& session) {
  TROTH_ASSIGN_OR_RETURN(const std::vector<FoundColumn> columns, session.FindColumns());
  std::vector<Problem> problems = FindProblems(session.dialect(), columns);
  for (const Problem& problem : problems) {
    for (const std::string& statement : problem.statements) {
      TROTH_RETURN_IF_ERROR(session.Execute(statement));
    }
  }
  return problems;
}

}  // namespace troth::sql
