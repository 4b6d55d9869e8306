#include "store/sql_admin.h"

#include <algorithm>
#include <utility>

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

// Another server that starts at the same moment makes the same; `if not exists` does not see what
// it has not committed yet, and fails on a unique key when it has, or on its locks while it has
// not. Each try gets a table further.
Status CreateTables(SqlSession& session) {
  constexpr int kTriesMax = 20;
  Status created;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    created = session.CreateNamespace();
    if (created.ok()) created = ExecuteAll(session, CreateStatements(session.dialect()));
    if (created.code() != StatusCode::kAlreadyExists && created.code() != StatusCode::kAborted)
      break;
  }
  return created;
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
    const Status created = CreateTables(session);
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
  std::vector<Problem> solved;
  // What is missing or too short becomes as dtm has it, and is widened after that.
  constexpr int kRounds = 2;
  for (int round = 0; round < kRounds; ++round) {
    TROTH_ASSIGN_OR_RETURN(const std::vector<FoundColumn> columns, session.FindColumns());
    for (Problem& problem : FindProblems(session.dialect(), columns)) {
      TROTH_RETURN_IF_ERROR(ExecuteAll(session, problem.statements));
      solved.push_back(std::move(problem));
    }
  }
  return solved;
}

}  // namespace troth::sql
