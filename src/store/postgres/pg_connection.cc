#include "store/postgres/pg_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/postgres/pg_error.h"

namespace troth::postgres {
namespace {

// Row locks and what they guard are read in two statements of one transaction, so that each must
// see what was committed before it.
const Statement kBegin = {"troth_begin", "begin isolation level read committed"};
const Statement kBeginSnapshot = {"troth_begin_snapshot",
                                  "begin isolation level repeatable read, read only"};
const Statement kCommit = {"troth_commit", "commit"};

constexpr int kBinary = 1;

// Every statement of ours finds its rows by an index, row by row, and is planned once. The planner
// is not asked: its statistics of a table that is empty now and then mislead it. Databases that
// speak PostgreSQL's protocol need not know all of these.
constexpr std::string_view kPlannerSettings[] = {"set enable_seqscan = off",
                                                 "set enable_hashjoin = off",
                                                 "set enable_mergejoin = off",
                                                 "set jit = off",
                                                 "set plan_cache_mode = force_generic_plan"};

TimePoint Now() { return SystemClock().Now(); }

int64_t Millis(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// What a failure has in one of libpq's PG_DIAG_ fields; empty when the server said nothing there.
std::string_view FieldOf(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

bool HasStalePlan(const PGresult* result) {
  return IsStalePlan(FieldOf(result, PG_DIAG_SQLSTATE),
                     FieldOf(result, PG_DIAG_MESSAGE_PRIMARY),
                     FieldOf(result, PG_DIAG_SOURCE_FUNCTION));
}

Status ErrorOfResult(const PGresult* result) {
  if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED) {
    return Aborted("PostgreSQL: not run, because a statement before it failed");
  }
  const std::string_view text = FieldOf(result, PG_DIAG_MESSAGE_PRIMARY);
  if (HasStalePlan(result)) return Aborted(Cat("PostgreSQL: the tables were changed: ", text));
  return ErrorOf(FieldOf(result, PG_DIAG_SQLSTATE),
                 text.empty() ? PQresultErrorMessage(result) : text);
}

bool IsGood(const PGresult* result) {
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY: return true;
    default: return false;
  }
}

// What libpq calls a connection begun with; PQconnectdbParams waits for it, PQconnectStartParams
// does not.
template <typename Begin>
pg_conn* Connect(const ConnectionOptions& options, const Begin& begin) {
  static const std::string kAny = "any", kPrimary = "read-write";
  const std::string port = Cat(options.port);
  const std::string seconds = Cat(std::max<int64_t>(2, Millis(options.connect_timeout) / 1000));
  const std::string unacknowledged = Cat(Millis(options.answer_timeout));
  const std::pair<const char*, const std::string&> given[] = {
      {"host", options.host},
      {"target_session_attrs", options.host.find(',') == std::string::npos ? kAny : kPrimary},
      {"port", port},
      {"user", options.user},
      {"password", options.password},
      {"dbname", options.database},
      {"connect_timeout", seconds},
      {"tcp_user_timeout", unacknowledged},
      {"sslmode", options.tls_mode},
      {"sslrootcert", options.tls_ca_path},
      {"sslcert", options.tls_cert_path},
      {"sslkey", options.tls_key_path},
  };
  std::vector<const char*> names = {"application_name", "client_encoding"};
  std::vector<const char*> values = {"troth", "UTF8"};
  for (const auto& [name, value] : given) {
    if (value.empty()) continue;
    names.push_back(name);
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  return begin(names.data(), values.data(), /*expand_dbname=*/0);
}

// Goes on with a connection that was begun until it stands, has failed, or `deadline` has come.
void FinishConnecting(pg_conn* connection, TimePoint deadline) {
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;  // at first, as libpq's manual says
  while (PQstatus(connection) != CONNECTION_BAD && wants != PGRES_POLLING_OK) {
    const auto events = static_cast<short>(wants == PGRES_POLLING_WRITING ? POLLOUT : POLLIN);
    pollfd wait = {.fd = PQsocket(connection), .events = events, .revents = 0};
    const int64_t left = Millis(deadline - Now());
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) return;
    wants = PQconnectPoll(connection);
  }
}

// Why the server refuses us, as an SQLSTATE says, whatever language its words are in. libpq tells
// the SQLSTATE of a connection in its text only, and only when it was asked to before the server
// answered: so it is tried once more.
Status AskWhyRefused(const ConnectionOptions& options) {
  const std::unique_ptr<pg_conn, decltype(&PQfinish)> connection(
      Connect(options, PQconnectStartParams), &PQfinish);
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  FinishConnecting(connection.get(), Now() + options.connect_timeout);
  return ErrorOfVerboseText(PQerrorMessage(connection.get()));
}

}  // namespace

std::string Quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  std::unique_ptr<Connection> connection(
      new Connection(Connect(options, PQconnectdbParams), options));
  if (PQstatus(connection->connection_) != CONNECTION_OK) {
    const std::string where =
        Cat("cannot connect to PostgreSQL at ", options.host, ":", options.port, ": ");
    const std::string_view why = TrimSpace(PQerrorMessage(connection->connection_));
    if (PQconnectionNeedsPassword(connection->connection_) == 1) {
      return FailedPrecondition(Cat(where, why, "; set Store.Password"));
    }
    if (IsServersText(why)) {
      const Status refused = AskWhyRefused(options);
      if (refused.code() == StatusCode::kFailedPrecondition) {
        return FailedPrecondition(Cat(where, Message(refused)));
      }
    }
    return Unavailable(Cat(where, why));
  }
  TROTH_RETURN_IF_ERROR(connection->SetUp(options));
  return connection;
}

Connection::Connection(pg_conn* connection, const ConnectionOptions& options)
    : connection_(connection), answer_timeout_(options.answer_timeout), opened_at_(Now()) {}

Connection::~Connection() { PQfinish(connection_); }

Status Connection::SetUp(const ConnectionOptions& options) {
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);  // no lines on stderr
  if (PQsetnonblocking(connection_, 1) != 0) return Lost();
  // The server gives up before we do: then it says so, and nothing goes on behind our back.
  TROTH_RETURN_IF_ERROR(Execute(Cat("set statement_timeout = ",
                                    Millis(options.answer_timeout) * 4 / 5,
                                    "; set lock_timeout = ",
                                    Millis(options.lock_timeout))));
  if (!options.schema.empty()) {
    TROTH_RETURN_IF_ERROR(Execute(Cat("set search_path to ", Quoted(options.schema))));
  }
  for (const std::string_view setting : kPlannerSettings) {
    const Status set = Execute(setting);
    if (!usable_) return set;
    if (!set.ok()) LogDebug("a setting is unknown to the database", {{"error", set}});
  }
  return OkStatus();
}

StatusOr<Result> Connection::Run(const Query& query) {
  TROTH_ASSIGN_OR_RETURN(std::vector<Result> results, RunPipeline({&query, 1}));
  return std::move(results.front());
}

StatusOr<std::vector<Result>> Connection::RunTransaction(std::span<const Query> queries) {
  return RunBetween(kBegin, queries);
}

StatusOr<std::vector<Result>> Connection::RunSnapshot(std::span<const Query> queries) {
  return RunBetween(kBeginSnapshot, queries);
}

StatusOr<std::vector<Result>> Connection::RunBetween(const Statement& begin,
                                                     std::span<const Query> queries) {
  std::vector<Query> all;
  all.reserve(queries.size() + 2);
  all.push_back({.statement = &begin});
  all.insert(all.end(), queries.begin(), queries.end());
  all.push_back({.statement = &kCommit});
  TROTH_ASSIGN_OR_RETURN(std::vector<Result> results, RunPipeline(all));
  results.erase(results.begin());
  results.pop_back();
  return results;
}

Status Connection::Execute(std::string_view sql) {
  deadline_ = Now() + answer_timeout_;
  if (PQsendQuery(connection_, std::string(sql).c_str()) != 1) return Lost();
  Status status;
  while (true) {
    TROTH_RETURN_IF_ERROR(AwaitAnswer());
    PGresult* const answer = PQgetResult(connection_);
    if (answer == nullptr) break;
    if (!IsGood(answer) && status.ok()) status = ErrorOfResult(answer);
    PQclear(answer);
  }
  if (PQstatus(connection_) != CONNECTION_OK) usable_ = false;
  return status;
}

StatusOr<std::vector<Result>> Connection::RunPipeline(std::span<const Query> queries) {
  has_stale_plan_ = false;
  StatusOr<std::vector<Result>> results = TryPipeline(queries);
  if (!has_stale_plan_ || !usable_) return results;
  TROTH_RETURN_IF_ERROR(Execute("deallocate all"));
  prepared_.clear();
  return TryPipeline(queries);
}

StatusOr<std::vector<Result>> Connection::TryPipeline(std::span<const Query> queries) {
  deadline_ = Now() + answer_timeout_;
  if (PQenterPipelineMode(connection_) != 1) return Lost();
  std::vector<const Statement*> prepares;
  TROTH_RETURN_IF_ERROR(SendAll(queries, prepares));
  StatusOr<std::vector<Result>> results = ReadAll(queries, prepares);
  if (!usable_) return results;
  if (PQexitPipelineMode(connection_) != 1) return Lost();
  TROTH_RETURN_IF_ERROR(RollBackIfOpen());
  return results;
}

Status Connection::SendAll(std::span<const Query> queries,
                           std::vector<const Statement*>& prepares) {
  for (const Query& query : queries) {
    TROTH_RETURN_IF_ERROR(SendOne(query, prepares));
  }
  return PQpipelineSync(connection_) == 1 ? OkStatus() : Lost();
}

Status Connection::SendOne(const Query& query, std::vector<const Statement*>& prepares) {
  const auto& parameters = query.parameters.all();
  const auto count = static_cast<int>(parameters.size());
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const Parameters::Parameter& parameter : parameters) {
    types.push_back(parameter.type);
    values.push_back(parameter.is_null ? nullptr : parameter.bytes.data());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
  }
  const std::vector<int> formats(parameters.size(), kBinary);
  const std::string name(query.statement->name);
  const bool known = prepared_.contains(query.statement->name) ||
                     std::ranges::find(prepares, query.statement) != prepares.end();
  if (!known) {
    const std::string text(query.statement->text);
    if (PQsendPrepare(connection_, name.c_str(), text.c_str(), count, types.data()) != 1) {
      return Lost();
    }
    prepares.push_back(query.statement);
  }
  const int sent = PQsendQueryPrepared(
      connection_, name.c_str(), count, values.data(), lengths.data(), formats.data(), kBinary);
  return sent == 1 ? OkStatus() : Lost();
}

StatusOr<std::vector<Result>> Connection::ReadAll(std::span<const Query> queries,
                                                  const std::vector<const Statement*>& prepares) {
  std::vector<Result> results;
  results.reserve(queries.size());
  Status failure;
  auto next_prepare = prepares.begin();
  for (const Query& query : queries) {
    if (next_prepare != prepares.end() && *next_prepare == query.statement) {
      ++next_prepare;
      const StatusOr<Result> prepared = ReadAnswer();
      if (!usable_) return prepared.status();
      if (prepared.ok()) prepared_.insert(query.statement->name);
      if (!prepared.ok() && failure.ok()) failure = prepared.status();
    }
    StatusOr<Result> result = ReadAnswer();
    if (!usable_) return result.status();
    if (!result.ok() && failure.ok()) failure = result.status();
    if (result.ok()) results.push_back(*std::move(result));
  }
  TROTH_RETURN_IF_ERROR(ReadSync());
  if (!failure.ok()) return failure;
  return results;
}

StatusOr<Result> Connection::ReadAnswer() {
  TROTH_RETURN_IF_ERROR(AwaitAnswer());
  PGresult* const answer = PQgetResult(connection_);
  if (answer == nullptr) return Lost();
  Result result(answer);
  const bool is_good = IsGood(answer);
  const Status error = is_good ? OkStatus() : ErrorOfResult(answer);
  if (!is_good && HasStalePlan(answer)) has_stale_plan_ = true;
  // What a session cannot do any more, a new one can.
  const bool is_over = error.code() == StatusCode::kUnavailable;
  if (is_over || PQstatus(connection_) != CONNECTION_OK) {
    usable_ = false;
    return is_good ? Lost() : error;
  }
  TROTH_RETURN_IF_ERROR(AwaitAnswer());
  Result end_of_statement(PQgetResult(connection_));
  if (is_good) return result;
  return error;
}

Status Connection::ReadSync() {
  TROTH_RETURN_IF_ERROR(AwaitAnswer());
  PGresult* const answer = PQgetResult(connection_);
  const bool is_sync = answer != nullptr && PQresultStatus(answer) == PGRES_PIPELINE_SYNC;
  PQclear(answer);
  return is_sync ? OkStatus() : Lost();
}

Status Connection::AwaitAnswer() {
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return Lost();
    if (PQisBusy(connection_) == 0) return OkStatus();
    TROTH_RETURN_IF_ERROR(WaitForSocket(unsent == 1));
    if (PQconsumeInput(connection_) != 1) return Lost();
  }
}

Status Connection::WaitForSocket(bool to_write) {
  pollfd wanted = {.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
  if (to_write) wanted.events |= POLLOUT;
  const Duration left = std::max(deadline_ - Now(), Duration(0));
  const int ready = ::poll(&wanted, 1, static_cast<int>(Millis(left)) + 1);
  if (ready > 0 || (ready < 0 && errno == EINTR)) return OkStatus();
  usable_ = false;
  return DeadlineExceeded(
      Cat("PostgreSQL has not answered for ", Millis(answer_timeout_), " ms: is it overloaded?"));
}

Status Connection::RollBackIfOpen() {
  if (PQtransactionStatus(connection_) == PQTRANS_IDLE) return OkStatus();
  return Execute("rollback");
}

Status Connection::Lost() {
  usable_ = false;
  return Unavailable(
      Cat("the connection to PostgreSQL is lost: ", TrimSpace(PQerrorMessage(connection_))));
}

}  // namespace troth::postgres
