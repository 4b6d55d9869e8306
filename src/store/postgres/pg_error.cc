#include "store/postgres/pg_error.h"

#include <algorithm>

#include "base/text.h"

namespace troth::postgres {
namespace {

constexpr std::string_view kNotSupported = "0A000";

struct Meaning {
  std::string_view sqlstate;  // or its class, the first two characters
  StatusCode code;
  std::string_view advice = "";
};

// The first that fits counts. The names are those of PostgreSQL's manual, appendix A.
constexpr Meaning kMeanings[] = {
    {"40003", StatusCode::kUnavailable},  // statement completion unknown (CockroachDB, Yugabyte)
    {"40", StatusCode::kAborted},         // deadlock, serialization failure
    {"55P03", StatusCode::kAborted},      // lock not available in time
    {"57014", StatusCode::kAborted},      // query cancelled: statement_timeout, or an operator
    {"23505", StatusCode::kAlreadyExists},
    {"42P06", StatusCode::kAlreadyExists},  // schema
    {"42P07", StatusCode::kAlreadyExists},  // table
    {"42710", StatusCode::kAlreadyExists},  // sequence, constraint
    {"22012", StatusCode::kNotFound},  // division by zero: what our statements assert does not hold
    {"22001", StatusCode::kOutOfRange, "; `troth store widen` makes the columns wide enough"},
    {"22", StatusCode::kOutOfRange},  // data exceptions: bytes that are no UTF-8
    {"42501",
     StatusCode::kFailedPrecondition,
     "; give the account the right to do this, or another account in Store.User"},
    {"42P01", StatusCode::kFailedPrecondition, "; `troth store check` tells what is missing"},
    {"42703", StatusCode::kFailedPrecondition, "; `troth store check` tells what is missing"},
    {"3F000", StatusCode::kFailedPrecondition, "; `troth store init` makes Store.Schema"},
    {"3D000", StatusCode::kFailedPrecondition, "; create the database, or correct Store.Db"},
    {"25006",
     StatusCode::kFailedPrecondition,
     "; the server takes no writes: point Store.Host to the primary, or make it one"},
    {"28P01", StatusCode::kFailedPrecondition, "; correct Store.User and Store.Password"},
    {"28",
     StatusCode::kFailedPrecondition,
     "; correct Store.User and Store.Password, or Store.TlsMode and its files if the server wants "
     "TLS"},
    {"53", StatusCode::kResourceExhausted},  // connections, disk, memory
    {"57P", StatusCode::kUnavailable},       // shutting down, crashed, starting
    {"08", StatusCode::kUnavailable},        // connection exceptions
    // Prepared behind a pooler for somebody else: a new connection helps.
    {"26000", StatusCode::kUnavailable},
    {kNotSupported,
     StatusCode::kFailedPrecondition,
     "; this database does not know, or not for these tables, a statement that troth needs: set "
     "Store to one that docs/stores.md calls tested, with tables that `troth store init` made"},
};

}  // namespace

Status ErrorOf(std::string_view sqlstate, std::string_view text) {
  const auto* const found = std::ranges::find_if(
      kMeanings, [&](const Meaning& meaning) { return sqlstate.starts_with(meaning.sqlstate); });
  std::string message = Cat("PostgreSQL: ", TrimSpace(text));
  if (!sqlstate.empty()) CatTo(message, " (SQLSTATE ", sqlstate, ")");
  if (found == std::end(kMeanings)) {
    return MakeStatus(sqlstate.empty() ? StatusCode::kUnavailable : StatusCode::kInternal, message);
  }
  return MakeStatus(found->code, Cat(message, found->advice));
}

bool IsStalePlan(std::string_view sqlstate, std::string_view text, std::string_view function) {
  return sqlstate == kNotSupported &&
         (function == "RevalidateCachedQuery" ||
          text.find("cached plan must not change result type") != std::string_view::npos);
}

bool IsServersText(std::string_view text) { return text.find(":  ") != std::string_view::npos; }

Status ErrorOfVerboseText(std::string_view text) {
  constexpr size_t kStateSize = 5;
  constexpr std::string_view kBeforeState = ":  ";
  const size_t at = text.find(kBeforeState);
  if (at == std::string_view::npos) return ErrorOf("", text);
  text.remove_prefix(at + kBeforeState.size());
  const size_t end = text.find(": ");
  if (end != kStateSize) return ErrorOf("", text);
  const std::string_view words = text.substr(end + 2);
  return ErrorOf(text.substr(0, kStateSize), words.substr(0, words.find('\n')));
}

bool SurelyNotDone(const Status& status) {
  return !status.ok() && status.code() != StatusCode::kUnavailable &&
         status.code() != StatusCode::kDeadlineExceeded;
}

}  // namespace troth::postgres
