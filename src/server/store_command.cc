#include "server/store_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string_view>

#include "base/text.h"
#include "server/open_store.h"
#include "server/store_location.h"
#include "store/copy.h"
#include "store/sql_admin.h"

namespace troth {
namespace {

constexpr std::string_view kUsage =
    "use: store init|check|widen, store reset [--yes], store copy FROM TO [--merge]";

void Print(const std::string& line) {
  std::fputs(line.c_str(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void PrintProblem(const sql::Problem& problem) {
  Print(Cat("  ", problem.text));
  for (const std::string& statement : problem.statements) Print(Cat("    ", statement, ";"));
}

bool IsFatal(const sql::Problem& problem) { return problem.kind != sql::ProblemKind::kNarrow; }

// --- one store -----------------------------------------------------------------------------------

Status Init(const StoreConfig& config) {
  if (!IsSqlStore(config)) {
    TROTH_RETURN_IF_ERROR(OpenStoreNow(config).status());
  } else {
    TROTH_ASSIGN_OR_RETURN(const auto session, OpenSqlSession(config));
    TROTH_RETURN_IF_ERROR(sql::EnsureTables(*session));
  }
  Print(Cat(DescribeStoreLocation(config), " is ready"));
  return OkStatus();
}

Status Check(const StoreConfig& config) {
  if (!IsSqlStore(config)) {
    TROTH_ASSIGN_OR_RETURN(const auto store, OpenStoreNow(config));
    TROTH_RETURN_IF_ERROR(store->Health());
    Print(Cat(DescribeStoreLocation(config), " is fine"));
    return OkStatus();
  }
  TROTH_ASSIGN_OR_RETURN(const auto session, OpenSqlSession(config));
  TROTH_ASSIGN_OR_RETURN(const auto columns, session->FindColumns());
  const std::vector<sql::Problem> problems = sql::FindProblems(session->dialect(), columns);
  const bool is_fatal = std::ranges::any_of(problems, IsFatal);
  Print(Cat(session->where(),
            problems.empty() ? ": all is as it should be"
            : is_fatal       ? ": the store cannot be used as it is"
                             : ": the store can be used; what does not fit is refused:"));
  for (const sql::Problem& problem : problems) PrintProblem(problem);
  if (!problems.empty()) Print("`troth store widen` runs these statements");
  return is_fatal ? FailedPrecondition("the store's tables are not right") : OkStatus();
}

Status Widen(const StoreConfig& config) {
  if (!IsSqlStore(config)) {
    Print(Cat(DescribeStoreLocation(config), " has no columns to widen"));
    return OkStatus();
  }
  TROTH_ASSIGN_OR_RETURN(const auto session, OpenSqlSession(config));
  TROTH_ASSIGN_OR_RETURN(const auto widened, sql::WidenTables(*session));
  for (const sql::Problem& problem : widened) PrintProblem(problem);
  Print(widened.empty() ? Cat(session->where(), ": all is as it should be")
                        : Cat(session->where(), ": done; restart the servers that use it"));
  return OkStatus();
}

// Asks at the terminal. Without one the answer is no.
bool Confirm(const StoreConfig& config) {
  Print(Cat("All transactions and topics in ",
            DescribeStoreLocation(config),
            " will be removed, unfinished ones too. Type yes to go on:"));
  std::string answer;
  return ::isatty(STDIN_FILENO) == 1 && std::getline(std::cin, answer) && answer == "yes";
}

Status Reset(const StoreConfig& config, bool yes) {
  if (!yes && !Confirm(config)) {
    return FailedPrecondition("nothing was removed; --yes answers the question");
  }
  TROTH_RETURN_IF_ERROR(ResetStore(config));
  Print(Cat(DescribeStoreLocation(config), " is empty"));
  return OkStatus();
}

// --- copy ----------------------------------------------------------------------------------------

// A source is never made.
Status MustExist(const StoreConfig& config) {
  if (config.driver == StoreDriver::kMemory) {
    return InvalidArgument("a store in memory belongs to its server");
  }
  std::error_code ignored;
  const bool is_missing =
      config.driver == StoreDriver::kEmbedded &&
      !std::filesystem::exists(std::filesystem::path(config.path) / "CURRENT", ignored);
  return is_missing ? NotFound(Cat("there is no store in ", config.path)) : OkStatus();
}

Status MustBeEmpty(Store& store, const StoreConfig& config) {
  TROTH_ASSIGN_OR_RETURN(const bool is_empty, IsEmptyStore(store));
  if (is_empty) return OkStatus();
  return FailedPrecondition(
      Cat(DescribeStoreLocation(config),
          " is not empty; --merge adds to it what it does not have, `troth store reset` empties "
          "it"));
}

Status CopyBetween(const StoreCommand& command) {
  TROTH_ASSIGN_OR_RETURN(const StoreConfig from_config, ParseStoreLocation(command.words[1]));
  TROTH_ASSIGN_OR_RETURN(const StoreConfig to_config, ParseStoreLocation(command.words[2]));
  TROTH_RETURN_IF_ERROR(MustExist(from_config));
  TROTH_ASSIGN_OR_RETURN(const auto from, OpenStoreNow(from_config));
  TROTH_ASSIGN_OR_RETURN(const auto to, OpenStoreNow(to_config));
  if (!command.merge) TROTH_RETURN_IF_ERROR(MustBeEmpty(*to, to_config));
  uint64_t told = 0;
  const auto progress = [&](uint64_t copied) {
    constexpr uint64_t kTellEvery = 10'000;
    if (copied / kTellEvery == told / kTellEvery) return;
    told = copied;
    Print(Cat(copied, " transactions copied"));
  };
  TROTH_ASSIGN_OR_RETURN(const CopyCounts counts, CopyStore(*from, *to, progress));
  Print(Cat("copied from ",
            DescribeStoreLocation(from_config),
            " to ",
            DescribeStoreLocation(to_config),
            " and verified: ",
            counts.transactions,
            " transactions (",
            counts.present,
            " were there), ",
            counts.named_values,
            " named values"));
  return OkStatus();
}

Status Do(const StoreCommand& command, const StoreConfig& config) {
  const std::string& action = command.words[0];
  if (action == "init") return Init(config);
  if (action == "check") return Check(config);
  if (action == "widen") return Widen(config);
  if (action == "reset") return Reset(config, command.yes);
  return CopyBetween(command);
}

}  // namespace

bool UsesConfiguredStore(const StoreCommand& command) { return command.words[0] != "copy"; }

Status CheckStoreCommand(const StoreCommand& command) {
  const std::vector<std::string>& words = command.words;
  if (words.empty()) return InvalidArgument(kUsage);
  const bool is_copy = words[0] == "copy";
  const bool is_known = is_copy || words[0] == "init" || words[0] == "check" ||
                        words[0] == "widen" || words[0] == "reset";
  const size_t wanted = is_copy ? 3 : 1;
  return is_known && words.size() == wanted ? OkStatus() : InvalidArgument(kUsage);
}

int RunStoreCommand(const StoreCommand& command, const StoreConfig& config) {
  const Status done = Do(command, config);
  if (done.ok()) return 0;
  std::fputs(Cat("troth store ", command.words[0], ": ", Message(done), '\n').c_str(), stderr);
  return 1;
}

}  // namespace troth
